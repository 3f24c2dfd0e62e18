package session

import (
	"time"

	"ringmaster/parser"
	"ringmaster/pool"
	"ringmaster/stats"
)

// A client that waits in a blocking command when the proxy stops, or its door is shut, is told so. Only the server knows whether anything ran: it may have served the
// command already, with the reply on the way, so that closing the connection proves nothing. So the server is asked to unblock the client
// (CLIENT UNBLOCK), and what it answers to the command itself decides: its reply, or that it was unblocked. Without an answer within
// Loop.FarewellTime the command may have run.

// askAgain is the time after which a server is asked once more, ns: the first time may have overtaken the command.
const askAgain = int64(50 * time.Millisecond)

// unblockedWords are what a server answers to a command that CLIENT UNBLOCK has ended, of which it has run nothing.
const unblockedWords = "-UNBLOCKED client unblocked via CLIENT UNBLOCK\r\n"

// farewell is a client that waits at servers while the proxy stops.
type farewell struct {
	s           *Session
	until, next int64 // when it is given up, and when the servers are asked again, ns
}

// farewells are those of a loop.
type farewells struct{ list []*farewell }

// sayFarewell asks the servers to end what the client waits for; false: they can't be asked.
func (s *Session) sayFarewell() bool {
	e := s.env
	if e.paused() { // see unblock
		return false
	}
	found := false
	for _, o := range s.pin.owns {
		if o.conn != nil && o.conn.ServerID() > 0 && o.conn.HandOver(func(r pool.Receiver) pool.Receiver { return stopWord{r} }) {
			found = true
		}
	}
	if !found {
		return false
	}
	s.pin.soiled = true
	f := &farewell{s: s, until: e.Pool.Now + int64(e.FarewellTime)}
	f.ask()
	all, _ := e.farewells.(*farewells)
	if all == nil {
		all = &farewells{}
		e.farewells = all
	}
	all.list = append(all.list, f)
	return true
}

// ask asks the servers to unblock the client.
func (f *farewell) ask() {
	s := f.s
	f.next = s.env.Pool.Now + askAgain
	for _, o := range s.pin.owns {
		if o.conn != nil && o.conn.ServerID() > 0 && o.conn.Waits() {
			o.conn.Unblock("ERROR")
		}
	}
}

// endFarewells gives up those whose servers have not answered in time, and asks again for the others.
func endFarewells(l *Loop) {
	all, _ := l.farewells.(*farewells)
	if all == nil {
		return
	}
	left := all.list[:0]
	for _, f := range all.list {
		switch s := f.s; {
		case s.pin == nil:
		case l.Clock.Now >= f.until:
			s.unpin(false)
		default:
			if l.Clock.Now >= f.next {
				f.ask()
			}
			left = append(left, f)
		}
	}
	clear(all.list[len(left):])
	all.list = left
}

// stopWord is the receiver of a blocking command's reply while the proxy stops.
type stopWord struct{ pool.Receiver }

// Reply is pool.Receiver.
func (w stopWord) Reply(tag uint64, b []byte, p pool.Piece) {
	if p == pool.Whole && string(b) == unblockedWords {
		text := errStoppedWaiting
		if s := sessionOf(w.Client()); s != nil && s.reason == stats.ListenerClosed {
			text = errClosedWaiting
		}
		b = parser.AppendError(nil, text)
	}
	w.Receiver.Reply(tag, b, p)
}
