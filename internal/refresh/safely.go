package refresh

import (
	"errors"
	"fmt"
	"runtime/debug"
)

// ErrPanic is a bug of ringmaster in reading an answer.
var ErrPanic = errors.New("a bug in ringmaster caused a panic while reading the answer; please report this")

// Safely asks, and turns a panic into an error, so that no answer can end the process.
func Safely[V any](ask func() (V, error)) (v V, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("%w: %v\n%s", ErrPanic, cause, debug.Stack())
		}
	}()
	return ask()
}
