package pool

import "ringmaster/pool/ask"

// expireBegun looks first at replies that have begun: when one before them of the same client ends by its timeout, they would go
// to the client as far as they have come, and could not be replaced by an error any more.
func (p *Pool) expireBegun() {
	for _, r := range p.rings {
		for _, c := range r.conns {
			c.ExpireIfBegun()
		}
	}
	for _, l := range p.lanes {
		for i := len(l.conns) - 1; i >= 0; i-- {
			l.conns[i].ExpireIfBegun()
		}
	}
}

// TimedOut is the failure of what has waited too long for server; sent: a part of it may have reached it. Loop-only.
func (p *Pool) TimedOut(server int, sent bool) *ask.Failure {
	if sent {
		return p.servers[server].TimedOut
	}
	return p.servers[server].TimedOutUnsent
}
