package main

import (
	"log/slog"
	"os"
	"os/signal"
	"syscall"
)

// otherSignals are the signals that do not stop the process, with what the log says of each.
var otherSignals = map[os.Signal]string{
	syscall.SIGHUP:  "SIGHUP changes nothing: settings are read at the start only; restart to change them. The log is standard error, and is not opened again",
	syscall.SIGUSR1: "SIGUSR1 is ignored",
}

// watchOtherSignals logs the signals that change nothing, and keeps SIGPIPE, which comes when the reader of the log is gone, from ending
// the process, to its last line. They have a channel of their own, so that none of them hides one that stops.
func watchOtherSignals(log *slog.Logger) (stop func()) {
	signal.Ignore(syscall.SIGPIPE)
	signals, done := make(chan os.Signal, 1), make(chan struct{})
	for s := range otherSignals {
		signal.Notify(signals, s)
	}
	go func() {
		defer close(done)
		for s := range signals {
			log.Warn(otherSignals[s])
		}
	}()
	return func() {
		signal.Stop(signals)
		close(signals)
		<-done
	}
}
