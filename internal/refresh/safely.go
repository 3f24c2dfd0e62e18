package refresh

import (
	"errors"
	"fmt"
	"runtime/debug"
)

// ErrPanic is a mistake of ours in the reading of an answer.
var ErrPanic = errors.New("a bug in ringmaster caused a panic while reading the answer; please report this")

// Safely asks; a panic is an error, so that nobody who is asked can end the process by an answer.
func Safely[V any](ask func() (V, error)) (v V, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("%w: %v\n%s", ErrPanic, cause, debug.Stack())
		}
	}()
	return ask()
}
