package conn

import (
	"time"

	"ringmaster/shard"
)

// Config says how the connections to the servers are made and bounded.
type Config struct {
	// Connections is how many connections a loop keeps to each server and ring.
	Connections int
	// Username and Password log in to the servers; both empty: no AUTH.
	Username, Password string
	// DialTimeout bounds connecting plus handshake.
	DialTimeout time.Duration
	// Timeout is the longest a request may wait for its reply before its client gets an
	// error; 0 is never.
	Timeout time.Duration
	// StallTimeout closes a connection that owes replies and neither sent nor took bytes for that long;
	// 0 is never.
	StallTimeout time.Duration
	// BackoffMin and BackoffMax bound the pause before a failed dial is tried again; it
	// doubles, with jitter.
	BackoffMin, BackoffMax time.Duration
	// Spare is how many connections are kept ready to be lent, for each server, protocol and database for which one was
	// lent lately: who blocks or watches then need not wait for a login.
	Spare int
	// ProveMulti asks at the login whether the server takes MULTI, so that transactions need not: see ProveMulti of Conn.
	ProveMulti bool
	// Reads says which servers a request goes to that is ByPolicy: see PickRead.
	Reads shard.ReadPolicy
	// Resend keeps each request until it is answered, and sends it again when its server can't answer now or was never
	// reached, until Timeout. Hint is called when the map may be out of date.
	Resend bool
	Hint   func()
	// Fixed: the servers are a list that an operator changes. Nobody says where the keys of one that is taken out are now, and it goes on
	// answering: what was sent to it, or waits for it, ends there as ever. Not with Resend.
	Fixed bool
	// Cluster, with Resend: the servers are nodes of a Redis Cluster, each of which says where keys are.
	Cluster bool
	// ScriptPolicy says over which connections scripts go.
	ScriptPolicy ScriptPolicy
	// Nonce makes the text of a fence, which nobody must be able to guess; nil: by chance. For tests.
	Nonce func(dst *[16]byte)
	// Witness, with Resend, appends to dst a request that changes nothing, and which a server refuses with the same words as raw
	// as long as it can't run raw; reply is what it has said to raw. Borrows both until return.
	Witness func(dst, raw, reply []byte) []byte
	// MaxPending bounds the requests one connection may owe replies to.
	MaxPending int
	// MaxPendingBytes bounds the request bytes one connection holds unsent.
	MaxPendingBytes int
}

// User returns the user that connections log in as; "": they do not log in.
func (c *Config) User() string {
	if c.Password != "" && c.Username == "" {
		return "default"
	}
	if c.Password == "" {
		return ""
	}
	return c.Username
}

// Reconfigures reports whether [Pool.Configure] can go from c to other. Any goroutine.
func (c *Config) Reconfigures(other *Config) bool {
	return c.Connections == other.Connections && c.ScriptPolicy == other.ScriptPolicy && c.Cluster == other.Cluster && c.Resend == other.Resend &&
		c.Fixed == other.Fixed && (c.Reads == shard.ReadPrimary) == (other.Reads == shard.ReadPrimary)
}

// ScriptPolicy says over which connections carriers go.
type ScriptPolicy int8

const (
	// ScriptsShared has them on shared connections, whatever is known of a server.
	ScriptsShared ScriptPolicy = iota
	// ScriptsAuto has them on lanes where a server is known not to escape, or could not say.
	ScriptsAuto
	// ScriptsOwn has scripts on lanes everywhere.
	ScriptsOwn
)
