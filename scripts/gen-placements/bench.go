package main

import (
	"bytes"
	"fmt"
	"io"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"ringmaster/internal/testkit"
)

// The servers' ports; redisPorts also name the Unix sockets. They are fixed because
// nutcracker hashes them where a server has no name of its own.
var redisPorts = []int{27101, 27102, 27103, 27104, 27105, 27106, 27107, 11211}

const (
	statsPort = 27100
	socketDir = "/tmp/gen-placements"
	// pipeline is how many SETs are on their way at once. They are so few that their replies can't fill a socket
	// before they are read.
	pipeline = 500
)

func socketOf(port int) string { return filepath.Join(socketDir, strconv.Itoa(port)+".sock") }

// bench is the running servers: a nutcracker with every pool, each with a Unix socket of its own, in front of the
// redis-servers.
type bench struct {
	dir   string
	procs []*exec.Cmd
	redis map[int]*testkit.Conn // by port
}

func newBench() (*bench, error) {
	b := &bench{dir: socketDir, redis: map[int]*testkit.Conn{}}
	if err := b.start(); err != nil {
		b.close()
		return nil, err
	}
	return b, nil
}

func (b *bench) start() error {
	if err := os.MkdirAll(b.dir, 0o700); err != nil {
		return err
	}
	for _, port := range redisPorts {
		if testkit.Answers(testkit.Loopback(port)) {
			return fmt.Errorf("port %d is in use", port)
		}
		err := b.exec("redis-server", "--port", strconv.Itoa(port), "--bind", "127.0.0.1", "::1",
			"--unixsocket", socketOf(port), "--save", "", "--appendonly", "no", "--dir", b.dir)
		if err != nil {
			return err
		}
		if b.redis[port], err = connect(testkit.Loopback(port)); err != nil {
			return err
		}
	}
	var conf strings.Builder
	for i, p := range pools() {
		conf.WriteString(p.yaml(fmt.Sprintf("pool%d", i), b.listenOf(i)))
	}
	file := filepath.Join(b.dir, "nutcracker.yml")
	if err := os.WriteFile(file, []byte(conf.String()), 0o600); err != nil {
		return err
	}
	return b.exec("nutcracker", "-c", file, "-s", strconv.Itoa(statsPort), "-a", "127.0.0.1", "-v", "2")
}

func (b *bench) listenOf(i int) string { return filepath.Join(b.dir, fmt.Sprintf("pool%d.sock", i)) }

func (b *bench) exec(argv ...string) error {
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	if err := cmd.Start(); err != nil {
		return err
	}
	b.procs = append(b.procs, cmd)
	return nil
}

func (b *bench) close() {
	for _, c := range b.redis {
		if c != nil {
			c.Close()
		}
	}
	for _, p := range b.procs {
		_ = p.Process.Signal(syscall.SIGTERM)
		_ = p.Wait() // it was told to end, so its exit status does not matter
	}
	if err := os.RemoveAll(b.dir); err != nil {
		log.Print(err)
	}
}

// connect waits until addr answers.
func connect(addr string) (*testkit.Conn, error) {
	var c *testkit.Conn
	var err error
	testkit.Eventually(10*time.Second, func() bool {
		c, err = testkit.Connect(addr)
		return err == nil
	})
	return c, err
}

// place sets every key through pool number i and returns a digit per key: the position
// in the pool of the server that has it.
func (b *bench) place(i int, p pool, keys []string) (string, error) {
	if err := b.set(i, keys); err != nil {
		return "", err
	}
	at := make(map[string]int, len(keys))
	for n, s := range p.servers {
		have, err := b.take(s)
		if err != nil {
			return "", err
		}
		for _, k := range have {
			at[k] = n
		}
	}
	if len(at) != len(keys) {
		return "", fmt.Errorf("the servers have %d keys of %d", len(at), len(keys))
	}
	var digits bytes.Buffer
	for _, k := range keys {
		fmt.Fprint(&digits, at[k])
	}
	return digits.String(), nil
}

func (b *bench) set(i int, keys []string) error {
	c, err := connect("unix://" + b.listenOf(i))
	if err != nil {
		return err
	}
	defer c.Close()
	for len(keys) > 0 {
		n := min(pipeline, len(keys))
		var request []byte
		for _, k := range keys[:n] {
			request = testkit.AppendRequest(request, "SET", k, "1")
		}
		if err := c.SendBytes(request); err != nil {
			return err
		}
		for _, k := range keys[:n] {
			reply, err := c.Next()
			if err == nil && string(reply) != "+OK\r\n" {
				err = fmt.Errorf("SET %q: %q", k, reply)
			}
			if err == io.EOF {
				err = fmt.Errorf("SET %q: nutcracker closed the connection", k)
			}
			if err != nil {
				return err
			}
		}
		keys = keys[n:]
	}
	return nil
}

// take returns the keys that server s has and empties it.
func (b *bench) take(s server) ([]string, error) {
	port := s.port
	if port == 0 {
		port, _ = strconv.Atoi(strings.TrimSuffix(filepath.Base(s.host), ".sock"))
	}
	c := b.redis[port]
	reply, err := c.Call("KEYS", "*")
	if err != nil {
		return nil, err
	}
	v, err := testkit.ParseValue([]byte(reply))
	if err != nil {
		return nil, err
	}
	var keys []string
	for _, e := range v.Elems {
		keys = append(keys, e.Text)
	}
	if reply, err = c.Call("FLUSHALL"); err == nil && reply != "+OK\r\n" {
		err = fmt.Errorf("FLUSHALL: %q", reply)
	}
	return keys, err
}
