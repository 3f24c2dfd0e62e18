package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"

	"ringmaster/control/process"
	"ringmaster/eventloop"
)

// TestDemoServesRealCommands runs everything except the process: shards, data plane, admin server, a client, a
// signal.
func TestDemoServesRealCommands(t *testing.T) {
	var replies, metrics string
	start := func(c eventloop.Config) (process.Plane, error) {
		p, err := process.StartPlane(c)
		if err != nil {
			return nil, err
		}
		for p.Ready(t.Context()) != nil { // each call waits for the loop
		}
		if replies, err = talk(c.Listeners[0].Addr().String()); err != nil {
			t.Error(err)
		}
		return p, nil
	}
	var stderr output
	root := newRoot(start)
	// The demo writes its text after everything runs. The writer plays the operator who reads it.
	root.SetOut(writerFunc(func(p []byte) {
		if _, rest, ok := strings.Cut(string(p), "curl "); ok {
			url, _, _ := strings.Cut(rest, "\n")
			metrics = fetch(t, url)
		}
		if strings.Contains(string(p), "Ctrl-C") {
			if err := syscall.Kill(os.Getpid(), syscall.SIGINT); err != nil {
				t.Error(err)
			}
		}
	}))
	if code := execute(root, append([]string{"demo", "--loops", "1"}, free...), &stderr); code != exitOK {
		t.Fatalf("exit %d: %s", code, stderr.String())
	}
	if want := "+OK\r\n*3\r\n$1\r\n1\r\n$1\r\n2\r\n$1\r\n3\r\n:3\r\n+OK\r\n"; replies != want {
		t.Errorf("replies %q, want %q", replies, want)
	}
	for _, want := range []string{
		`ringmaster_command_calls_total{command="mget"} 1`, `ringmaster_server_up{server="demo-3",upstream="default"} 1`,
		`ringmaster_clients_opened_total 1`, `ringmaster_server_requests_total{server="demo-1",upstream="default"} `,
	} {
		if !strings.Contains(metrics, want) {
			t.Errorf("missing in /metrics: %s", want)
		}
	}
}

type writerFunc func([]byte)

func (f writerFunc) Write(p []byte) (int, error) { f(p); return len(p), nil }

// talk sends commands over all shards and returns the replies up to the end of the connection.
func talk(addr string) (string, error) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	if _, err := fmt.Fprint(conn, "MSET red 1 green 2 blue 3\r\nMGET red green blue\r\nDBSIZE\r\nQUIT\r\n"); err != nil {
		return "", err
	}
	b, err := io.ReadAll(conn)
	return string(b), err
}

func fetch(t *testing.T, url string) string {
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Get(url)
	if err != nil {
		t.Error(err)
		return ""
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Error(err)
	}
	return string(b)
}
