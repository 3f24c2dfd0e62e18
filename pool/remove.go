package pool

import (
	"slices"

	"ringmaster/shard"
)

// Owes reports whether a server owes a reply or a request waits to be sent, even if no client waits for it any more. Loop-only.
func (p *Pool) Owes() (owes bool) {
	if len(p.resends.list)+len(p.freeResends.list)+p.queued > 0 {
		return true
	}
	p.each(func(c *Conn) { owes = owes || c.ring.Len() > 0 })
	return owes
}

// Remove forgets an upstream that was stopped. Loop-only.
func (l *Loop) Remove(p *Pool) {
	l.pools = slices.DeleteFunc(l.pools, func(o *Pool) bool { return o == p })
}

// Reconfigures reports whether [Pool.Configure] can go from c to other. Any goroutine.
func (c *Config) Reconfigures(other *Config) bool {
	return c.Connections == other.Connections && c.ScriptPolicy == other.ScriptPolicy && c.Cluster == other.Cluster && c.Resend == other.Resend &&
		c.Fixed == other.Fixed && (c.Reads == shard.ReadPrimary) == (other.Reads == shard.ReadPrimary)
}
