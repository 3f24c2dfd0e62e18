package conn

import (
	"errors"

	"ringmaster/pool/ask"
)

// A panic is a mistake of ours, and must not end the process: every client of every loop would have to pay for it. Whoever
// calls a receiver catches it, tells OnPanic for whom it was, and closes each connection that is out of step with what was
// written to it (ADR 15).

var errPanic = errors.New("was closed after a bug in ringmaster; the log has the panic")

// Fail tells a receiver that there is no reply.
func (l *Loop) Fail(recv ask.Receiver, tag uint64, f *ask.Failure) {
	defer l.guardFor(recv.Client())
	recv.Fail(tag, f)
}

// Answer gives a receiver a whole reply, outside of OnBytes.
func (l *Loop) Answer(recv ask.Receiver, tag uint64, b []byte) {
	defer l.guardFor(recv.Client())
	recv.Reply(tag, b, ask.Whole)
}

// TellOwner tells an owner that its connection is gone.
func (l *Loop) TellOwner(owner Owner, c *Conn, f *ask.Failure) {
	defer l.guardFor(owner.Client())
	owner.OwnLost(c, f)
}

// served is for whom a receiver or an owner was called last; nil: nobody alone.
func (l *Loop) served() ask.Client {
	switch {
	case l.servingOwner != nil:
		return l.servingOwner.Client()
	case l.serving != nil:
		return l.serving.Client()
	}
	return nil
}

func (l *Loop) guardFor(whom ask.Client) {
	if cause := recover(); cause != nil {
		l.panicked(whom, cause)
	}
}

func (l *Loop) panicked(whom ask.Client, cause any) {
	l.serving, l.servingOwner = nil, nil
	if l.OnPanic == nil {
		panic(cause)
	}
	l.OnPanic(whom, cause)
	l.Distrust()
}
