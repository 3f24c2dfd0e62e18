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

// features returns the features in the order in which the core calls them. When a client closes, its tracking ends first, then its transaction,
// then its subscriptions.
func features() []session.Feature {
	return []session.Feature{gather.Feature, guard.Feature, tracking.Feature, transaction.Feature, pubsub.Feature, blocking.Feature}
}
