package session

import (
	"strconv"
	"time"

	"ringmaster/parser"
	"ringmaster/pool"
	"ringmaster/session/texts"
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
