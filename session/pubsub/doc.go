// Package pubsub carries out SUBSCRIBE, PUBLISH and PUBSUB: channels, patterns, shard channels and their messages.
//
// # Purpose
//
// However many clients of a loop subscribe to a channel, the loop subscribes once, over one connection to each server.
// Each client that has subscribed gets each message once, after its confirmation, even if servers fail or move.
//
// # Picture
//
//	sessions ──< topic >── feed ──> server
//	    SUBSCRIBE ── Subscribing ──> hub ── round ──> feeds ──> confirmations
//	    PUBLISH ── publishReply ──> server ──> feed ──> topic ──> sessions
//
// Files, each of which uses only those after it:
//
//	feature.go                           what the core calls
//	moving.go                            topics follow the map
//	subscribe.go                         the commands that subscribe
//	confirm.go subscribing.go            their replies; what they wait for
//	subscriptions.go                     the topics of one client
//	publish.go numsub.go tally.go        PUBLISH; PUBSUB; the numbers of clients behind the proxy
//	rounds.go                            subscribing and unsubscribing at servers
//	resubscribe.go                       subscribing again after a feed was lost
//	feed.go                              the connections
//	linger.go lost.go placing.go glob.go which topics linger, are lost, belong where; patterns
//	hub.go                               the data: hub, topic, round, feed
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
// A subscription has the timeout of any request. A client that does not read its messages is closed at
// SubscriberOutputLimit.
//
// # How messages keep their order
//
// A client that subscribes to an existing topic waits for the server's confirmation and for a barrier, because earlier
// messages may still be on their way. A client that unsubscribes waits for a barrier too, and gets the messages that
// were published before. A PUBLISH that comes while a round is under way on any loop waits for the round, since the two
// go over different connections.
//
// The nodes of a cluster pass messages on to each other, so a pattern needs only one of them. Key events are not passed
// on: a pattern that may match them is subscribed at all nodes, and takes other messages from one node only
// (placing.go). A channel stays at one node until that node goes. Its PUBLISH goes to the same node, since messages of
// two nodes have no order (ADR 11). A shard channel goes where its slot is.
//
// # When a feed is lost, or a topic moves
//
// When a feed is lost, its subscribers are closed, and their topics are unsubscribed at other servers. With
// --lost-subscriptions resubscribe they stay: their topics are marked as lost at that server, and a tick that finds the
// server up subscribes them again over a new feed. A new pattern is lost from the start at servers that are down. A lost
// topic is not counted for a PUBLISH at its server, and a PUBLISH waits while it is subscribed again. When the map
// changes, topics go where their channels are (moving.go). A shard channel
// moves when its server ends the subscription, or when the map says that another server has its slot.
package pubsub
