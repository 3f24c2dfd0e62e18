package main

import (
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"ringmaster/control/config"
	"ringmaster/control/process"
)

// run serves until a signal comes. ready, unless nil, is called once clients can connect.
func run(cmd *cobra.Command, c *config.Config, start process.Starter, ready func(process.Bound)) error {
	log := newLogger(cmd.ErrOrStderr(), c)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	defer signal.Stop(signals)
	stopOthers := watchOtherSignals(log)
	defer stopOthers()
	return process.Run(process.Options{
		Config: c, Start: start, Version: version(), Log: log, LogDropped: logDropped(cmd.ErrOrStderr()), Signals: signals, Ready: ready,
	})
}
