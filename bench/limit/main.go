package main

import (
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"

	"golang.org/x/sys/unix"

	"ringmaster/bench/limit/responder"
)

// mostMemory is where the garbage collector begins to work, in bytes.
const mostMemory = 512 << 20

func main() {
	listen := flag.String("listen", "127.0.0.1:7000", "`address` to listen on, IPv4")
	flag.Parse()
	fmt.Fprintln(os.Stderr, "limit:", run(*listen))
	os.Exit(1)
}

// run returns when something failed that the server can not do without.
func run(addr string) error {
	// doc.go says why.
	runtime.GOMAXPROCS(1)
	debug.SetGCPercent(-1)
	debug.SetMemoryLimit(mostMemory)
	signal.Ignore(unix.SIGURG)
	s, err := responder.Listen(addr)
	if err != nil {
		return err
	}
	defer s.Close()
	for err == nil {
		err = s.Turn(-1)
	}
	return err
}
