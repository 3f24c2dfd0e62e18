package pool

// Kind says what went wrong with a request at a server.
type Kind uint8

const (
	// Down: no connection to the server.
	Down Kind = iota
	// Lost: the connection ended while the reply was owed.
	Lost
	// TimedOut: no reply within Config.Timeout.
	TimedOut
	// Overloaded: the connection owes Config.MaxPending replies or holds MaxPendingBytes.
	Overloaded
	// Stopping: the proxy is shutting down.
	Stopping
	// NoneFree: Loop.MaxOwn connections are lent already.
	NoneFree
	// NoReplica: the read policy wants a replica, and none can be read from.
	NoReplica
	// Moved: the keys are at another server of the cluster, and the request can't go there.
	Moved
	// NoMulti: the server takes no MULTI on the connection that a transaction would have gone over.
	NoMulti
	// Overtaken: a server could not answer it at first, and a later one of its client for the same keys has run since.
	Overtaken
)

// Failure says why a request got no reply. It is read-only: many requests share one.
type Failure struct {
	Kind Kind
	// Sent reports whether any byte may have reached the server, so that the request may have
	// run there. What was not sent may be tried elsewhere.
	Sent bool
	// Refused says, where Sent is false, that a server had the request and has refused to run it.
	Refused bool
	// Server is the server's name for people.
	Server string
	// Cause is what the network or the server said; may be nil.
	Cause error
}

// Receiver is who asked: a session, or a gather that joins several replies.
type Receiver interface {
	// Reply gives the next piece of the reply to request tag. Borrows b until return.
	// It must not call back into the Conn that calls it.
	Reply(tag uint64, b []byte, p Piece)
	// Fail ends request tag without a reply, or in the middle of one.
	Fail(tag uint64, f *Failure)
}

// Forwarder is a Receiver that may hand a reply on before it is whole.
type Forwarder interface {
	// Begun reports whether a client has part of the reply to request tag: then the reply can't be replaced by an error any more.
	Begun(tag uint64) bool
}

// Lasting is a Receiver that sees to the timeout itself, and needs the reply however late it comes. Only the stall timeout and a
// connection that is not made in time end its requests.
type Lasting interface {
	Receiver
	Lasts()
}

// Piece says which part of a reply some bytes are.
type Piece uint8

const (
	// First: the reply starts here.
	First Piece = 1 << iota
	// Last: the reply ends here.
	Last
	// Whole is a reply in one piece.
	Whole = First | Last
)
