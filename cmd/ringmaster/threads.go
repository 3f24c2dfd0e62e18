package main

import (
	"os"
	"runtime"
)

// useThreads lets Go run as many goroutines at a time as there are loops. A loop that finds nothing to do
// yields, and Go then wakes a thread for every processor without work, to look for some: with one loop on
// two CPUs that doubled the cost of a lone client's command. The variable GOMAXPROCS overrides it.
func useThreads(loops int) {
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(loops)
	}
}
