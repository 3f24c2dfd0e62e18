package transaction

import (
	"github.com/valyala/bytebufferpool"

	"ringmaster/command"
	"ringmaster/parser"
	"ringmaster/pool"
	"ringmaster/session"
	"ringmaster/session/guard"
	"ringmaster/session/pubsub"
)

// transaction is what a client has queued since MULTI. EXEC sends all of it as one batch: MULTI, the commands, EXEC. No other client's
// command comes between. The batch goes over the connection that clients share, or over the session's own when it watches keys.
//
// Invariant: len(specs) == n.
type transaction struct {
	session.Kept
	buf          *bytebufferpool.ByteBuffer // MULTI and the commands as they will be sent
	n            int                        // commands in buf
	specs        []*command.Spec            // of the commands in buf
	version      uint16                     // of the map by which server was found
	rules        *session.Rules             // the rules that allowed the commands
	server       int                        // the server of the keys; session.AnyServer: no keys so far
	key          []byte                     // one of the keys
	aborted      bool                       // a command was refused: EXEC answers EXECABORT
	crossed      bool                       // the keys have several hash slots of one node: EXEC answers CROSSSLOT
	keepsState   bool                       // a command leaves state on the connection
	writes       bool                       // a command may write
	carrier      pool.Carrier               // what kinds of carriers are among the commands
	subscribes   int                        // SUBSCRIBEs and their like among locals that are not prepared
	unsubscribes bool                       // an UNSUBSCRIBE or its like is among locals
	timedOut     bool                       // preparing has taken as long as a request may: the other SUBSCRIBEs fail
	pauses       [][][]byte                 // the words of each CLIENT PAUSE
	locals       []local
	allShards    []allShardsCommand
	size         int // bytes that locals, allShards and the names of messages' channels take
	messages     []message
	secrets      []secretReply
}

// local is a command that the proxy answers after EXEC has run.
type local struct {
	at   int    // commands in buf before it
	raw  []byte // nil: the server answers it too
	spec *command.Spec
	sent bool                // it is a SELECT: the server runs it too, and the proxy looks at the answer
	db   int                 // of a SELECT
	sub  *pubsub.Subscribing // SUBSCRIBE and its like, prepared or under way; nil: neither
}

// request is the command as the client sent it. It points into the transaction. false: its bytes are no request.
func (l *local) request() (req parser.Request, ok bool) { return parser.Reparse(l.raw) }

// localOverhead is what one element of locals, allShards or messages takes besides its bytes, bytes.
const localOverhead = 64

// allShardsCommand is a command for all shards, such as FLUSHALL or KEYS.
type allShardsCommand struct {
	at   int // commands in buf before it
	raw  []byte
	spec *command.Spec
}

// message is a PUBLISH.
type message struct {
	at  int // commands in buf before it
	key pubsub.TopicKey
}

// secretReply is a command whose reply may show a secret.
type secretReply struct {
	at   int // commands in buf before it
	hide guard.Hider
}

// of returns what the client has queued; nil: it has not said MULTI.
func of(s *session.Session) *transaction {
	if s.Transaction == nil {
		return nil
	}
	return s.Transaction.Of.(*transaction)
}

// Queued returns the number of commands that the client has queued since MULTI; -1: it has not said MULTI. Loop-only.
func Queued(s *session.Session) int {
	if tx := of(s); tx != nil {
		return tx.n + len(tx.locals)
	}
	return -1
}

// selects reports whether a SELECT is queued.
func (tx *transaction) selects() bool {
	for _, l := range tx.locals {
		if l.sent {
			return true
		}
	}
	return false
}

// Drop forgets what the client has queued, if it has said MULTI. Watched keys stay watched. Loop-only.
func Drop(s *session.Session) {
	if tx := of(s); tx != nil {
		dropSubscriptions(s, tx.locals)
		s.Door.Pool.Buffers.Put(tx.buf)
		s.Transaction = nil
	}
}

// dropSubscriptions releases the subscriptions that were prepared for locals and were not used.
func dropSubscriptions(s *session.Session, locals []local) {
	for i := range locals {
		if p := locals[i].sub; p != nil {
			p.Release(s)
			locals[i].sub = nil
		}
	}
}
