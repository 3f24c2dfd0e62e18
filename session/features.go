package session

// features are the parts that the core calls, in the order in which it calls them. A client that closes first gets no invalidations of others
// any more, then loses what it has queued, then what it subscribes to.
func features() []Feature {
	return []Feature{gatherFeature, guardFeature, trackingFeature, transactionFeature, pubsubFeature, blockingFeature, discoveryFeature}
}
