package session_test

import (
	"bytes"

	"ringmaster/parser"
	"ringmaster/pool"
	"ringmaster/session"
	"ringmaster/session/texts"
	"ringmaster/stats"
)

// serverEnd is the server's end of one connection, and the proxy's socket to it.
type serverEnd struct {
	w        *world
	conn     *pool.Conn
	in       []byte // received and not yet looked at
	stuck    []byte // written by the proxy, held back by the kernel
	full     bool   // the server takes no bytes
	unheard  bool   // its system acknowledges nothing
	broken   error  // what writing says
	abrupt   bool   // a failing write tells OnClose first
	closed   bool
	greeted  bool
	proto    int // for random_test.go: what GET's replies tell
	db       int
	toAnswer []byte
	multi    [][]string
	refused  bool // a command of multi was
	watcher  string
	asking   bool
	readOnly bool // was told READONLY
	fences   fencesEnd
}

// fencesEnd answers the fences that come after scripts, so that stories need not mention them. Unless the story says "fences by
// hand" it keeps them out of what the server is seen to receive.
type fencesEnd struct {
	wire     []byte // received, and not yet a whole request
	received int    // requests that are no fences
	answered int    // of those
	open     []openFence
	scan     parser.ReplyScanner
}

type openFence struct {
	after int // requests before it
	reply []byte
}

// receive takes what the proxy has written.
func (s *serverEnd) receive(b []byte) {
	if s.w.fencesByHand {
		s.in = append(s.in, b...)
		return
	}
	f := &s.fences
	f.wire = append(f.wire, b...)
	limits := parser.DefaultLimits()
	for len(f.wire) > 0 {
		var p parser.RequestParser
		var req parser.Request
		done, err := p.Next(f.wire, &limits, &req)
		if err != nil {
			s.in, f.wire = append(s.in, f.wire...), nil // a stream of replication
			return
		}
		if !done {
			return
		}
		switch last := req.Args[len(req.Args)-1]; {
		case len(req.Args) == 2 && string(req.Args[0]) == "ECHO" && bytes.HasPrefix(last, []byte("fence-")):
			f.open = append(f.open, openFence{f.received, parser.AppendBulk(nil, last)})
		case len(req.Args) == 1 && bytes.HasPrefix(last, []byte("fence-")):
			f.open = append(f.open, openFence{f.received, parser.AppendError(nil, texts.UnknownCommand(req.Args, false))})
		default:
			f.received++
			s.in = append(s.in, f.wire[:req.Size]...)
		}
		f.wire = f.wire[req.Size:]
	}
}

// withFences puts the replies to fences between those that b holds.
func (f *fencesEnd) withFences(b []byte) (all []byte) {
	for len(b) > 0 {
		n, st := f.scan.Scan(b)
		if st != parser.Done {
			return append(all, b...)
		}
		all = append(all, b[:n]...)
		b = b[n:]
		if f.scan.Kind() != '>' {
			f.answered++
		}
		for len(f.open) > 0 && f.open[0].after <= f.answered {
			all = append(all, f.open[0].reply...)
			f.open = f.open[1:]
		}
	}
	return all
}

func (s *serverEnd) Write(b []byte) (int, error) {
	if s.closed {
		s.w.tb.Errorf("a write to closed connection %s", connName(s.conn))
	}
	if s.broken != nil {
		if s.abrupt {
			s.closed = true
			s.conn.OnClose(s, 0, s.broken)
		}
		return 0, s.broken
	}
	if s.full {
		s.stuck = append(s.stuck, b...)
	} else {
		s.receive(b)
	}
	return len(b), nil
}

func (s *serverEnd) Writev(bs [][]byte) (int, error) { return s.Write(bytes.Join(bs, nil)) }

func (s *serverEnd) Buffered() int { return len(s.stuck) }

func (s *serverEnd) Unacknowledged() bool { return s.unheard }

func (s *serverEnd) Close() {
	if s.closed {
		s.w.tb.Errorf("connection %s is closed twice", connName(s.conn))
	}
	s.closed = true
	s.w.marked = append(s.w.marked, func() { s.conn.OnClose(s, len(s.stuck), nil) })
}

// take lets the kernel send what it held back.
func (s *serverEnd) take() {
	s.full, s.unheard = false, false
	s.receive(s.stuck)
	s.stuck = nil
}

// answer gives the proxy bytes of the server, which are gone when the call returns.
func (s *serverEnd) answer(b []byte) {
	if s.closed {
		return
	}
	lent := bytes.Clone(b)
	if !s.w.fencesByHand {
		lent = s.fences.withFences(b)
	}
	s.conn.OnBytes(lent)
	for i := range lent {
		lent[i] = 0xfe
	}
}

// lose ends the connection from the server's side.
func (s *serverEnd) lose(cause error) {
	if !s.closed {
		s.closed = true
		s.conn.OnClose(s, len(s.stuck), cause)
	}
}

// shakeHands answers the login that the proxy begins with.
func (s *serverEnd) shakeHands() {
	if s.greeted && s.conn.State() != pool.Handshaking || s.closed || len(s.in) == 0 {
		return
	}
	s.greeted = true
	var replies []byte
	for _, args := range s.requests() {
		switch {
		case args[0] == "SELECT" && s.db >= s.w.databases:
			replies = append(replies, "-ERR DB index is out of range\r\n"...)
		case args[0] == "HELLO" && args[1] == "3":
			replies = append(replies, "%4\r\n$7\r\nversion\r\n$6\r\n7.0.15\r\n$5\r\nproto\r\n:3\r\n$2\r\nid\r\n:9\r\n"...)
			replies = append(replies, "$7\r\nmodules\r\n*1\r\n%1\r\n$4\r\nname\r\n$9\r\nvectorset\r\n"...)
		case args[0] == "HELLO":
			replies = append(replies, "*6\r\n$7\r\nversion\r\n$6\r\n7.0.15\r\n$5\r\nproto\r\n:2\r\n$2\r\nid\r\n:9\r\n"...)
		case args[0] == "EVAL": // is asked whether the server escapes
			replies = append(replies, "-ERR x\r\n"...)
		case args[0] == "ECHO":
			replies = parser.AppendBulkString(replies, args[1])
		default:
			s.readOnly = s.readOnly || args[0] == "READONLY"
			replies = append(replies, "+OK\r\n"...)
		}
	}
	s.answer(replies)
}

// requests takes the whole requests that the server has received.
func (s *serverEnd) requests() (all [][]string) {
	s.w.tb.Helper()
	limits := parser.DefaultLimits()
	for len(s.in) > 0 {
		var p parser.RequestParser
		var req parser.Request
		done, err := p.Next(s.in, &limits, &req)
		if err != nil {
			s.w.tb.Fatalf("server %s got what is no request: %v in %q", connName(s.conn), err, s.in)
		}
		if !done {
			break
		}
		var args []string
		for _, a := range req.Args {
			args = append(args, string(a))
		}
		all = append(all, args)
		s.in = s.in[req.Size:]
	}
	return all
}

// clientEnd is a client, and the session's socket to it.
type clientEnd struct {
	w       *world
	name    string
	session *session.Session
	in      []byte // received and not yet looked at
	stuck   []byte // written by the proxy, not read by the client
	full    bool   // the client does not read
	broken  error  // what writing says
	paused  bool   // the proxy does not read from it
	lingers bool
	closed  bool
	from    string // its address; "": the same as most
	reason  stats.CloseReason
}

// connect makes a new client.
func (w *world) connect(name string) *clientEnd {
	c := &clientEnd{w: w, name: name}
	c.session = session.New(w.door, c)
	w.clients[name] = c
	w.order = append(w.order, c)
	return c
}

func (c *clientEnd) Write(b []byte) (int, error) {
	if c.closed {
		c.w.tb.Errorf("a write to client %s, which is closed", c.name)
	}
	if c.broken != nil {
		return 0, c.broken
	}
	if c.full {
		c.stuck = append(c.stuck, b...)
	} else {
		c.in = append(c.in, b...)
	}
	return len(b), nil
}

func (c *clientEnd) Buffered() int { return len(c.stuck) }

func (c *clientEnd) Close(reason stats.CloseReason) {
	if c.closed {
		c.w.tb.Errorf("client %s is closed twice", c.name)
	}
	c.closed, c.reason = true, reason
	c.w.marked = append(c.w.marked, func() { c.session.OnClose(stats.ClientClosed) })
}

func (c *clientEnd) Pause()   { c.paused = true }
func (c *clientEnd) Unpause() { c.paused = false }
func (c *clientEnd) Linger()  { c.lingers = true }
func (c *clientEnd) Addr() (remote, local string) {
	if c.from != "" {
		return c.from, "192.0.2.2:6380"
	}
	return "192.0.2.1:1000", "192.0.2.2:6380"
}

// send feeds the session bytes that are gone when the call returns.
func (c *clientEnd) send(b []byte) {
	if c.closed {
		return
	}
	lent := bytes.Clone(b)
	c.session.Feed(lent)
	for i := range lent {
		lent[i] = 0xfe
	}
}

// read lets the client have what the proxy wrote.
func (c *clientEnd) read() {
	c.full = false
	c.in = append(c.in, c.stuck...)
	c.stuck = nil
}

// leave ends the connection from the client's side.
// readSome takes n bytes of what is stuck, and goes on not to read.
func (c *clientEnd) readSome(n int) {
	c.in = append(c.in, c.stuck[:n]...)
	c.stuck = c.stuck[n:]
}

func (c *clientEnd) leave() {
	if !c.closed {
		c.closed, c.reason = true, stats.ClientClosed
		c.session.OnClose(stats.ClientClosed)
	}
}
