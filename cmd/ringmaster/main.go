package main

import (
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"time"

	"github.com/spf13/cobra"

	"ringmaster/control/config"
	"ringmaster/control/logqueue"
	"ringmaster/control/process"
)

// Exit statuses.
const (
	exitOK       = 0
	exitFailed   = 1 // could not start or run
	exitSettings = 2 // flags, file or environment are wrong
)

// lastWords is how long the end of the process waits for its log to be read.
const lastWords = time.Second

func main() {
	stderr := logqueue.New(os.Stderr)
	log.SetOutput(stderr) // of libraries
	code := execute(newRoot(process.StartPlane), os.Args[1:], stderr)
	stderr.Close(lastWords)
	os.Exit(code)
}

// execute runs a command line and returns the exit status.
func execute(root *cobra.Command, args []string, stderr io.Writer) int {
	root.SetArgs(args)
	root.SetErr(stderr)
	err := root.Execute()
	if err == nil {
		return exitOK
	}
	var usage *usageError
	var problems config.Problems
	switch {
	case errors.As(err, &problems):
		for _, p := range problems {
			fmt.Fprintf(stderr, "ringmaster: %v\n", p)
		}
		return exitSettings
	case errors.As(err, &usage):
		fmt.Fprintf(stderr, "ringmaster: %v\nSee %s --help.\n", err, usage.command)
		return exitSettings
	}
	fmt.Fprintf(stderr, "ringmaster: %v\n", err)
	return exitFailed
}

// usageError is a command line that makes no sense.
type usageError struct {
	error
	command string // whose help describes valid ones
}

func (e *usageError) Unwrap() error { return e.error }
