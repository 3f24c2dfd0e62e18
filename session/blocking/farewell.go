package blocking

import (
	"time"

	"ringmaster/parser"
	"ringmaster/pool"
	"ringmaster/session"
	"ringmaster/session/texts"
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
	s           *session.Session
	until, next int64 // when it is given up, and when the servers are asked again, ns
}

// farewells are those of a loop.
type farewells struct{ list []*farewell }

// sayFarewell asks the servers to end what the client waits for; false: they can't be asked.
func sayFarewell(s *session.Session) bool {
	e := s.Door
	if e.Paused() { // see unblock
		return false
	}
	found := false
	for _, o := range s.Pin.Owns {
		if o.Conn != nil && o.Conn.ServerID() > 0 && o.Conn.HandOver(func(r pool.Receiver) pool.Receiver { return stopWord{r} }) {
			found = true
		}
	}
	if !found {
		return false
	}
	s.Pin.Soiled = true
	f := &farewell{s: s, until: e.Pool.Now + int64(e.FarewellTime)}
	f.ask()
	all, _ := e.Farewells.(*farewells)
	if all == nil {
		all = &farewells{}
		e.Farewells = all
	}
	all.list = append(all.list, f)
	return true
}

// ask asks the servers to unblock the client.
func (f *farewell) ask() {
	s := f.s
	f.next = s.Door.Pool.Now + askAgain
	for _, o := range s.Pin.Owns {
		if o.Conn != nil && o.Conn.ServerID() > 0 && o.Conn.Waits() {
			o.Conn.Unblock("ERROR")
		}
	}
}

// endFarewells gives up those whose servers have not answered in time, and asks again for the others.
func endFarewells(l *session.Loop) {
	all, _ := l.Farewells.(*farewells)
	if all == nil {
		return
	}
	left := all.list[:0]
	for _, f := range all.list {
		switch s := f.s; {
		case s.Pin == nil:
		case l.Clock.Now >= f.until:
			s.Unpin(false)
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
		text := texts.StoppedWaiting
		if s := session.SessionOf(w.Client()); s != nil && s.Reason == stats.ListenerClosed {
			text = texts.ClosedWaiting
		}
		b = parser.AppendError(nil, text)
	}
	w.Receiver.Reply(tag, b, p)
}
