// Package pubsub has channels, patterns, and messages.
//
// # Purpose
//
// However many clients of a loop subscribe to a channel, the loop subscribes once, over one connection to each server. Messages come once
// to each client that has subscribed, after its confirmation, whatever happens to servers meanwhile.
//
// # Picture
//
//	sessions ──< topic >── feed ──> server
//	    SUBSCRIBE ── Subscribing ──> hub ── round ──> feeds ──> confirmations
//	    PUBLISH   ── published ──> server ──> feed ──> topic ──> sessions
//
// Files, by what they are about: subscribe.go, hub.go (topics and feeds), publish.go, placing.go (where a topic belongs), numsub.go,
// glob.go (patterns), resubscribe.go (a feed was lost), rehome.go and moving.go (topics move), hub_check.go (for tests).
//
// # Who may call
//
// Everything is Loop-only.
//
// # Ownership of bytes
//
// Names are copied. A message is borrowed until return, and copied to each client's output.
//
// # Limits and errors
//
// A subscription has the timeout of any request. A client that does not read its messages is closed at SubscriberOutputLimit.
//
// # How messages keep their order
//
// A client that finds a topic waits for the server's word, and for a barrier: messages that were published before it came may still be on their
// way. Leaving has a barrier too: what was published before is delivered. A PUBLISH that comes while a round is under way on any loop waits for
// it, since the two go over different connections.
//
// The nodes of a cluster tell each other of messages, so a pattern needs one of them. One that may match key events, which each node tells
// only of itself, is at all nodes, and takes leaves one copy of the rest (placing.go). A channel stays at one node until that goes, and its
// PUBLISH goes nowhere else, since messages of two nodes have no order (ADR 11). A shard channel goes where its slot is.
//
// # When a feed is lost, or a topic moves
//
// A lost feed closes its subscribers and ends their topics on other feeds. With --lost-subscriptions resubscribe they stay: their topics are
// noted as missing at that server, and a tick that finds the server up asks for them over a new feed. A new pattern is missing in the same way
// at servers that are down. What is missing counts for no PUBLISH there, and a PUBLISH waits while it is asked for. When the map changes,
// topics go where their channels are (moving.go, rehome.go). A shard channel goes when its server ends the subscription.
package pubsub
