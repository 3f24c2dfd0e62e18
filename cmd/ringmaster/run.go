package main

import (
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"ringmaster/control/config"
	"ringmaster/control/process"
)

// run serves until a signal comes. It calls ready, unless that is nil, when clients can connect.
func run(cmd *cobra.Command, loader *config.Loader, c *config.Config, start process.Starter, ready func(process.Bound)) error {
	log, level := newLogger(cmd.ErrOrStderr(), c)
	signals, reloads := make(chan os.Signal, 2), make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	defer signal.Stop(signals)
	signal.Notify(reloads, syscall.SIGHUP) // one waiting signal stands for several
	defer signal.Stop(reloads)
	stopOthers := watchOtherSignals(log)
	defer stopOthers()
	o := process.Options{
		Config: c, Start: start, Version: version(), Log: log, LogLevel: level, LogDropped: logDropped(cmd.ErrOrStderr()),
		Signals: signals, Reloads: reloads, Ready: ready,
	}
	if loader.File() != "" {
		o.Load = loader.Load
	}
	return process.Run(o)
}
