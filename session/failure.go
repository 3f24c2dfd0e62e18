package session

import (
	"strconv"
	"time"

	"ringmaster/parser"
	"ringmaster/pool"
)

// appendFailure writes the error reply for f. Timeouts are told in whole milliseconds.
func appendFailure(dst []byte, f *pool.Failure, env *Env) []byte {
	return parser.AppendError(dst, failureText(f, millis(env.Pool.Timeout())))
}

// stopping is the failure of a command that the proxy's end leaves undone.
var stopping = &pool.Failure{Kind: pool.Stopping}

// millis is a time that prints as "250 ms".
type millis time.Duration

func (m millis) String() string {
	return strconv.FormatInt(time.Duration(m).Milliseconds(), 10) + " ms"
}
