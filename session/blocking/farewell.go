package blocking

import (
	"time"

	"ringmaster/parser"
	"ringmaster/pool"
	"ringmaster/session"
	"ringmaster/session/texts"
	"ringmaster/stats"
)

// When the proxy stops, or a door is shut, clients that wait in blocking commands get an error that says whether the command has run. Only the
// server knows that, because its reply may be on the way when the proxy closes the connection. So the proxy asks the server to unblock the
// client (CLIENT UNBLOCK). The server's reply to the command says what happened. If none comes within Loop.FarewellTime, the command may
// have run.

// unblockInterval is the time after which a server is asked once more to unblock a client, ns. The first time may have overtaken the command.
const unblockInterval = int64(50 * time.Millisecond)

// unblockedWords are a server's reply to a command that CLIENT UNBLOCK has ended. The server has run nothing of it.
const unblockedWords = "-UNBLOCKED client unblocked via CLIENT UNBLOCK\r\n"

// farewell is a client that waits at servers while the proxy stops.
type farewell struct {
	s           *session.Session
	until, next int64 // when its connections are closed, and when the servers are asked once more, ns
}

// farewells are a loop's.
type farewells struct{ list []*farewell }

// sayFarewell asks the servers to end the client's command. false: they can't be asked.
func sayFarewell(s *session.Session) bool {
	e := s.Door
	if e.Paused() { // see unblock
		return false
	}
	found := false
	for _, o := range s.Pin.Owns {
		if o.Conn != nil && o.Conn.ServerID() > 0 && o.Conn.HandOver(func(r pool.Receiver) pool.Receiver { return farewellReply{r} }) {
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
	f.next = s.Door.Pool.Now + unblockInterval
	for _, o := range s.Pin.Owns {
		if o.Conn != nil && o.Conn.ServerID() > 0 && o.Conn.Waits() {
			o.Conn.Unblock("ERROR")
		}
	}
}

// endFarewells closes the connections of clients whose servers have not answered in time. For other clients it asks the servers once more.
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

// farewellReply receives a blocking command's reply while the proxy stops.
type farewellReply struct{ pool.Receiver }

// Reply is pool.Receiver.
func (w farewellReply) Reply(tag uint64, b []byte, p pool.Piece) {
	if p == pool.Whole && string(b) == unblockedWords {
		text := texts.StoppedWaiting
		if s := session.SessionOf(w.Client()); s != nil && s.Reason == stats.ListenerClosed {
			text = texts.ClosedWaiting
		}
		b = parser.AppendError(nil, text)
	}
	w.Receiver.Reply(tag, b, p)
}
