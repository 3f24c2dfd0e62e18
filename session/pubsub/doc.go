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
package pubsub
