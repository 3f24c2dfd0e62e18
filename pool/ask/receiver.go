package ask

// Package pool and its callers meet in three interfaces. A Receiver gets the reply to a request. An Owner has a connection of its own. Both
// belong to a Client. All are Loop-only.

// Receiver is who asked: a session, or a gather that joins several replies.
type Receiver interface {
	// Reply gives the next piece of the reply to request tag. Borrows b until return.
	// It must not call back into the Conn that calls it.
	Reply(tag uint64, b []byte, p Piece)
	// Fail ends request tag without a reply, or in the middle of one.
	Fail(tag uint64, f *Failure)
	// Client is whose the requests are; nil: nobody's alone.
	Client() Client
	// Place is that of request tag in the order in which its client has sent its requests. NoPlace: it has none. Then it is never sent
	// again, may come before or after others, and its Client is asked nothing.
	Place(tag uint64) uint64
}

// NoPlace is what Place says of a request that has none.
const NoPlace = ^uint64(0)

// Client is who sends requests in an order that must be kept. A Receiver names it.
type Client interface {
	// Hold has what the client sends next wait until all before is answered, since a request of it is sent again. False: what it has
	// sent can't go over another connection, for servers keep state of it on this one.
	Hold() bool
	// Await is Hold for a request that goes to any server.
	Await()
	// Latest reports whether the client has sent no request after the one with this place.
	Latest(place uint64) bool
	// Begun reports whether the client has part of the reply with this place: then it can't be replaced by an error any more.
	Begun(place uint64) bool
	// Replied is when the client last had a whole reply, ns.
	Replied() int64
	// RingsSettled is called once for each Rings.Wait: the rings are usable or refused, or cause is why no connection could be made. It
	// must not call back into the Rings.
	RingsSettled(cause error)
}

// Unplaced is embedded in Receivers whose requests have no place in their client's order.
type Unplaced struct{}

// Place is Receiver.
func (Unplaced) Place(uint64) uint64 { return NoPlace }

// Nobody is embedded in Receivers and Owners that work for nobody alone.
type Nobody struct{ Unplaced }

// Client is Receiver and Owner.
func (Nobody) Client() Client { return nil }

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
