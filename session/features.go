package session

// features are the parts that the core calls, in the order in which it calls them.
func features() []Feature {
	return []Feature{gatherFeature, guardFeature, discoveryFeature, transactionFeature, pubsubFeature, blockingFeature}
}
