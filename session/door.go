package session

import "ringmaster/auth"

// Door is what the clients of a listener share on a loop: what they may do, and the upstream that their commands go to. Loop-only.
type Door struct {
	*Env
	Config Config
	Rules  *Rules
	Policy *auth.Policy

	unreadFrom int  // from where on unread output makes a client's window smaller, bytes
	clients    int  // sessions
	shut       bool // its clients finish (remove.go)
	cutting    bool // a job closes those that have not
}

// bound sets from where on unread output counts.
func (d *Door) bound() {
	if d.unreadFrom = min(slowReader, d.Config.OutputLimit); d.readers.pressed {
		d.unreadFrom = 0
	}
}

// Configure has the clients of the listener go by cfg from their next command on. rules must come from NewRules of cfg and the upstream's
// read policy; the same may serve all loops.
func (d *Door) Configure(cfg Config, rules *Rules, policy *auth.Policy) {
	opens := policy.Open() && !d.Policy.Open()
	d.Config, d.Rules, d.Policy = cfg, rules, policy
	d.bound()
	d.nextIdle = 0
	if !opens {
		return // those that have logged in stay, as in Redis
	}
	d.Roster.Each(func(s *Session) {
		if s.Door == d {
			s.LoggedIn, s.Input.Parser.Unauthenticated = true, false
		}
	})
}
