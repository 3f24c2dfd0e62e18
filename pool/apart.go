package pool

import "ringmaster/pool/ask"

// Where servers do not escape what carriers hold, these go over lanes.

// noteUnescaped counts the servers that do not escape.
func (p *Pool) noteUnescaped() {
	p.apart = 0
	for i, s := range p.servers {
		at := p.Counters.Servers[i]
		at.UnescapedScripts, at.UnescapedModules = s.Unescaped&ask.Scripts != 0, s.Unescaped&ask.Modules != 0
		if s.Addr != "" {
			p.apart |= p.ApartAt(s)
		}
	}
}

// Apart reports whether carriers may have to go over lanes, at some server. Then they must be the only thing that their client
// has under way. Loop-only.
func (p *Pool) Apart(carrier ask.Carrier) bool { return p.apart&carrier != 0 }
