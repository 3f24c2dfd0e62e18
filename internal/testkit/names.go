package testkit

import (
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

// Names is a name server, which everything in a process of Apart asks.
type Names struct {
	conn net.PacketConn

	mu    sync.Mutex
	addrs map[string]netip.Addr
}

// NewNames starts a name server that knows no names yet, and makes it the system's. Only in a process of Apart.
func NewNames(t testing.TB) *Names {
	t.Helper()
	ip(t, "link set lo up")
	conn, err := net.ListenPacket("udp", "127.0.0.1:53")
	if err != nil {
		t.Fatal(err)
	}
	n := &Names{conn: conn, addrs: map[string]netip.Addr{}}
	var wg sync.WaitGroup
	wg.Go(n.serve)
	t.Cleanup(func() { conn.Close(); wg.Wait() })
	file := filepath.Join(t.TempDir(), "resolv.conf")
	if err := os.WriteFile(file, []byte("nameserver 127.0.0.1\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	run(t, "mount", "--bind", file, "/etc/resolv.conf")
	return n
}

// Set makes name resolve to an IPv4 address from now on. Any goroutine.
func (n *Names) Set(name, addr string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.addrs[name] = netip.MustParseAddr(addr)
}

func (n *Names) serve() {
	buf := make([]byte, 1500)
	for {
		size, from, err := n.conn.ReadFrom(buf)
		if err != nil {
			return
		}
		if answer, err := n.answer(buf[:size]); err == nil {
			_, _ = n.conn.WriteTo(answer, from)
		}
	}
}

// answer makes the reply to a query: the address, no address of that type, or no such name.
func (n *Names) answer(query []byte) ([]byte, error) {
	var m dnsmessage.Message
	if err := m.Unpack(query); err != nil {
		return nil, err
	}
	m.Response, m.Authoritative, m.Additionals = true, true, nil
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, q := range m.Questions {
		addr, known := n.addrs[strings.TrimSuffix(q.Name.String(), ".")]
		if !known {
			m.RCode = dnsmessage.RCodeNameError
		} else if q.Type == dnsmessage.TypeA {
			m.Answers = append(m.Answers, dnsmessage.Resource{
				Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class}, Body: &dnsmessage.AResource{A: addr.As4()},
			})
		}
	}
	return m.Pack()
}
