package conn

import "time"

// Health is what is known of the servers' replication, by address. It is not changed once made.
type Health map[string]ServerHealth

// ServerHealth is what is known of one server's replication.
type ServerHealth struct {
	// Reads says whether a replica may be read from.
	Reads Reads
	// Silent: a primary does not answer.
	Silent bool
	// Near: the server is in the proxy's own zone.
	Near bool
	// At is when the server was asked, for a silent primary the last time that it answered. A connection that is newer than
	// that may lead to a server that has restarted since and has lost its data.
	At time.Time
	// Heard is when the server has answered last. A dial that began before that says nothing of it any more.
	Heard time.Time
}

// Reads says whether a replica may be read from. What nothing is known of may not.
type Reads uint8

const (
	// ReadsNever: it may have lost its primary, or be too far behind it.
	ReadsNever Reads = iota
	// ReadsAlone: it has lost its primary, and had all that was written until a moment ago: it may be read from while the
	// primary is down.
	ReadsAlone
	// ReadsAlways: it follows its primary closely.
	ReadsAlways
)
