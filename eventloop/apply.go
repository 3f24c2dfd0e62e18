package eventloop

import (
	"context"
	"errors"
)

// Apply has every loop go by a plan, all of it in one turn. It returns when all loops do. Any goroutine, one at a time.
func (s *Server) Apply(context.Context, Plan) error { return errors.New("not available yet") }
