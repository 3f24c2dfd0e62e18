package pool

import (
	"slices"

	"ringmaster/pool/conn"
)

// Owes reports whether a server owes a reply or a request waits to be sent, even if no client waits for it any more. Loop-only.
func (p *Pool) Owes() (owes bool) {
	if len(p.resends.list)+len(p.freeResends.list)+p.queued > 0 {
		return true
	}
	p.each(func(c *conn.Conn) { owes = owes || c.Ring.Len() > 0 })
	return owes
}

// Remove forgets an upstream that was stopped. Loop-only.
func (l *Loop) Remove(p *Pool) {
	l.pools = slices.DeleteFunc(l.pools, func(o *Pool) bool { return o == p })
}
