package main

import (
	"log/slog"
	"os"
	"os/signal"
	"syscall"
)

// watchOtherSignals logs SIGUSR1, which changes nothing. It also keeps SIGPIPE, which comes when the reader of the
// log is gone, from ending the process, up to its last line. SIGUSR1 has a channel of its own, so that it displaces
// no other signal.
func watchOtherSignals(log *slog.Logger) (stop func()) {
	signal.Ignore(syscall.SIGPIPE)
	signals, done := make(chan os.Signal, 1), make(chan struct{})
	signal.Notify(signals, syscall.SIGUSR1)
	go func() {
		defer close(done)
		for range signals {
			log.Warn("SIGUSR1 is ignored")
		}
	}()
	return func() {
		signal.Stop(signals)
		close(signals)
		<-done
	}
}
