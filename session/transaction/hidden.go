package transaction

import (
	"ringmaster/command"
	"ringmaster/parser"
	"ringmaster/session"

	"ringmaster/session/guard"
	"ringmaster/session/texts"
)

// hidden is a command of a transaction whose answer may tell what is secret.
type hidden struct {
	at   int // commands before it that the server answers
	hide guard.Hider
}

// hide leaves blank what is secret in EXEC's reply, whose elements begin at at.
func (o *outcome) hide(reply []byte, at int) []byte {
	dst := append(make([]byte, 0, len(reply)), reply[:at]...)
	next := 0
	for _, h := range o.hidden {
		for ; next < h.at; next++ {
			dst, at = appendElement(dst, reply, at)
		}
		answer := reply[at : at+parser.ElementEnd(reply[at:])]
		at += len(answer)
		next++
		before, ok := len(dst), true
		if len(answer) > 0 && answer[0] == '-' {
			dst = append(dst, answer...)
		} else if dst, ok = h.hide(dst, answer); !ok {
			dst = parser.AppendError(dst[:before], texts.OddReply)
		}
	}
	o.hidden = nil
	dst = append(dst, reply[at:]...)
	o.s.CountHeld(len(dst) - len(reply))
	return dst
}

// notInMulti refuses a command inside a transaction.
func notInMulti(e *session.Env, spec *command.Spec) string {
	if e.Valkey(9) {
		return texts.NotAllowedInMulti(spec.Name)
	}
	return texts.NoMulti
}
