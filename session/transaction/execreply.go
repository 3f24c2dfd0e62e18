package transaction

import (
	"ringmaster/parser"
	"ringmaster/session/pubsub"
	"ringmaster/session/texts"
)

// EXEC's reply is an array of the commands' replies. These functions copy it and change some of them. Each has the reply, and where in it
// the elements begin.

// blankSecrets replaces secrets in the reply.
func blankSecrets(secrets []secretReply, reply []byte, at int) []byte {
	dst := append(make([]byte, 0, len(reply)), reply[:at]...)
	next := 0
	for _, h := range secrets {
		for ; next < h.at; next++ {
			dst, at = appendElement(dst, reply, at)
		}
		element := reply[at : at+parser.ElementEnd(reply[at:])]
		at += len(element)
		next++
		before, ok := len(dst), true
		if len(element) > 0 && element[0] == '-' {
			dst = append(dst, element...)
		} else if dst, ok = h.hide(dst, element); !ok {
			dst = parser.AppendError(dst[:before], texts.OddReply)
		}
	}
	return append(dst, reply[at:]...)
}

// correctCounts corrects how many clients got each message. In front of a cluster (slotted), a server's count of 0 is corrected, too.
func correctCounts(messages []message, sums []pubsub.Tally, slotted bool, reply []byte, at int) []byte {
	dst := append(make([]byte, 0, len(reply)+len(sums)), reply[:at]...)
	next := 0
	for i, m := range messages {
		for ; next < m.at; next++ {
			dst, at = appendElement(dst, reply, at)
		}
		if n, ok := parser.Integer(reply[at : at+parser.ElementEnd(reply[at:])]); ok && (n > 0 || slotted) {
			dst = parser.AppendInt(dst, sums[i].Correct(n))
			at += parser.ElementEnd(reply[at:])
			next++
		}
	}
	return append(dst, reply[at:]...)
}

// appendElement appends the element of reply at at. It returns where the next one begins.
func appendElement(dst, reply []byte, at int) ([]byte, int) {
	n := parser.ElementEnd(reply[at:])
	return append(dst, reply[at:at+n]...), at + n
}
