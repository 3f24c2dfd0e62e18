package archtest

import (
	"fmt"
	"go/ast"
	"go/token"
	"testing"
)

// ownGoroutine are the files of eventloop with code that runs on other goroutines, with its job. Everything else in
// eventloop runs on a loop.
var ownGoroutine = map[string]string{
	"eventloop/server.go":    "starts and stops the loops, and asks them for copies; called by cmd and the admin server",
	"eventloop/accept.go":    "accepts clients: gnet's own listeners can't pause and die of EMFILE",
	"eventloop/handshake.go": "makes TLS handshakes, which wait for clients and compute for long",
	"eventloop/apply.go":     "checks a plan and posts it to the loops, and waits for them; called by cmd",
	"eventloop/dial.go":      "connects to servers: gnet dials without a timeout",
	"eventloop/timer.go":     "posts ticks to the loops; the one thing a loop itself does there never waits",
	"eventloop/notices.go":   "logs what loops notice about clients; the one thing a loop itself does there never waits",
	"eventloop/halfclose.go": "writes the last replies of a client that shut its write half",
}

// calls are functions that a loop may not call, with the reason.
var calls = map[string]string{
	"time.Sleep":     "it stops every client of the loop",
	"time.After":     "it makes a channel and a timer per call; deadlines are checked by the loop's one timer",
	"time.NewTimer":  "deadlines are checked by the loop's one timer",
	"time.NewTicker": "deadlines are checked by the loop's one timer",
	"time.AfterFunc": "it runs on a goroutine of its own",
	"time.Now":       "the clock is read once per turn by eventloop and handed in, so that tests own time",
	"time.Since":     "the clock is read once per turn by eventloop and handed in, so that tests own time",
	"fmt.Println":    "printing blocks; operators read log/slog",
	"fmt.Printf":     "printing blocks; operators read log/slog",
}

func TestDataPlaneStartsNoGoroutineAndNeverWaits(t *testing.T) {
	for _, f := range sources(t) {
		if f.test || f.generated || !within(f.dir, dataPlane) {
			continue
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			if why := blocks(n); why != "" {
				t.Errorf("%s:%d: %s", f.path, f.line(n), why)
			}
			return true
		})
	}
}

func TestEventloopStartsGoroutinesInItsListedFilesOnly(t *testing.T) {
	for _, f := range sources(t) {
		if f.test || f.dir != "eventloop" || ownGoroutine[f.path] != "" {
			continue
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.GoStmt, *ast.SelectStmt, *ast.SendStmt:
				t.Errorf("%s:%d: %T on a loop: what runs beside the loops is in the files listed in ownGoroutine, so that a reader knows from the file what may block", f.path, f.line(n), n)
			case *ast.SelectorExpr:
				if name := qualified(n); name == "sync.Mutex" || name == "sync.RWMutex" || name == "time.Sleep" {
					t.Errorf("%s:%d: %s on a loop: one loop owns what it touches", f.path, f.line(n), name)
				}
			}
			return true
		})
	}
}

func TestListedGoroutineFilesExist(t *testing.T) {
	seen := map[string]bool{}
	for _, f := range sources(t) {
		seen[f.path] = true
	}
	for p := range ownGoroutine {
		if !seen[p] {
			t.Errorf("ownGoroutine lists %s, which does not exist", p)
		}
	}
}

// blocks says why n is not allowed in a data-plane package; "": it is allowed.
func blocks(n ast.Node) string {
	switch n := n.(type) {
	case *ast.GoStmt:
		return "go statement: no goroutine per request or connection; work runs in the loop's turn"
	case *ast.SendStmt:
		return "channel send: it can wait for its receiver and so stop every client of the loop"
	case *ast.SelectStmt:
		return "select: the data plane has no channels; eventloop posts to loops"
	case *ast.ChanType:
		return "channel type: the data plane has no channels; snapshots come by atomic pointer"
	case *ast.UnaryExpr:
		if n.Op == token.ARROW {
			return "channel receive: it waits and so stops every client of the loop"
		}
	case *ast.CallExpr:
		if sel, ok := n.Fun.(*ast.SelectorExpr); ok {
			if why := calls[qualified(sel)]; why != "" {
				return fmt.Sprintf("%s: %s", qualified(sel), why)
			}
		}
	}
	return ""
}

// qualified returns "pkg.Name" of a selector on an identifier.
func qualified(s *ast.SelectorExpr) string {
	if id, ok := s.X.(*ast.Ident); ok {
		return id.Name + "." + s.Sel.Name
	}
	return ""
}
