package session

import (
	"strconv"
	"time"

	"ringmaster/parser"
	"ringmaster/pool"
	"ringmaster/session/texts"
	"ringmaster/stats"
)

// AppendFailure writes the error reply for f. Timeouts are told in whole milliseconds.
func AppendFailure(dst []byte, f *pool.Failure, env *Env) []byte {
	return parser.AppendError(dst, texts.FailureText(f, Millis(env.Pool.Timeout())))
}

// stopping is the failure of a command that the proxy's end leaves undone.
var stopping = &pool.Failure{Kind: pool.Stopping}

// Millis is a time that prints as "250 ms".
type Millis time.Duration

func (m Millis) String() string {
	return strconv.FormatInt(time.Duration(m).Milliseconds(), 10) + " ms"
}

// Drains reports whether a client that closes for this reason is owed what it has asked for, and a word on what it waits for.
func Drains(reason stats.CloseReason) bool {
	return reason == stats.Shutdown || reason == stats.ListenerClosed
}

// appendUndone writes the error reply for a command that is left undone since its client closes for reason.
func appendUndone(dst []byte, reason stats.CloseReason, f *pool.Failure, env *Env) []byte {
	if reason == stats.ListenerClosed {
		return parser.AppendError(dst, texts.ListenerClosed+texts.Fate(f))
	}
	return AppendFailure(dst, f, env)
}
