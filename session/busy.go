package session

import (
	"bytes"

	"ringmaster/command"
	"ringmaster/pool"
)

// busy is the error with which a server that a script keeps busy would turn down a command now; nil: it would not. What the
// session itself has under way comes first, as on a connection of its own.
func (s *Session) busy(conn *pool.Conn, spec *command.Spec) []byte {
	return s.busyBehind(conn, spec, 0)
}

// busyBehind is busy for a command whose own places among the replies owed are own.
func (s *Session) busyBehind(conn *pool.Conn, spec *command.Spec, own int) []byte {
	if conn == nil || !s.env.Pool.AnyBusy() || s.Owed() > own || spec.Flags.Has(command.FlagAllowBusy) {
		return nil
	}
	return conn.Busy()
}

// turnedDown answers for a server that a script keeps busy; false: the command can be sent.
func (s *Session) turnedDown(conn *pool.Conn, spec *command.Spec) bool {
	busy := s.busy(conn, spec)
	if busy == nil {
		return false
	}
	s.answer(busy)
	return true
}

// tellBusy lets all loops know what servers say of scripts that hold up a connection of this one.
func (e *Env) tellBusy() {
	text := e.Pool.BusyText()
	if bytes.Equal(text, e.busyText) {
		return
	}
	e.busyText = bytes.Clone(text)
	shared, from := e.busyText, e.Number
	e.askLoops(func(e *Env) any {
		if shared == nil {
			delete(e.busyOn, from)
			e.Pool.SetBusy(len(e.busyOn) > 0)
			return nil
		}
		if e.busyOn == nil {
			e.busyOn = map[int][]byte{}
		}
		e.busyOn[from] = shared
		e.Pool.SetBusy(true)
		return nil
	}, func([]any) {})
}

// busyAnywhere is what a server has said of a script that holds up a connection of any loop; nil: nothing.
func (e *Env) busyAnywhere() []byte {
	for _, text := range e.busyOn {
		return text
	}
	return nil
}
