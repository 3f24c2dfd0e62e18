package dispatch

import (
	"ringmaster/session"
	"ringmaster/session/blocking"
	"ringmaster/session/gather"
	"ringmaster/session/guard"
	"ringmaster/session/pubsub"
	"ringmaster/session/tracking"
	"ringmaster/session/transaction"
)

// features are the parts that the core calls, in the order in which it calls them. A client that closes first gets no invalidations of others
// any more, then loses what it has queued, then what it subscribes to.
func features() []session.Feature {
	return []session.Feature{gather.Feature, guard.Feature, tracking.Feature, transaction.Feature, pubsub.Feature, blocking.Feature}
}
