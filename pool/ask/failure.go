package ask

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
