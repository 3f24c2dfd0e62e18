package process

import (
	"net"

	"ringmaster/control/config"
)

// state has the settings and parts in force. It never changes after it is stored: a reload makes a new one.
type state struct {
	config     *config.Config
	digest     uint64
	generation uint64
	upstreams  []*upstream // in the order of config.Upstreams
	sockets    []socket    // in the order of config.Listeners
	tls        []*secured  // in the order of config.Listeners; nil: a listener without TLS
	maxClients int
}

// socket is the socket of a listener.
type socket struct {
	name, address string // as in the settings
	net.Listener
}

// socket returns the socket of the listener with a name, or nil.
func (s *state) socket(name string) *socket {
	for i := range s.sockets {
		if s.sockets[i].name == name {
			return &s.sockets[i]
		}
	}
	return nil
}

// upstream returns the running upstream with a name, or nil.
func (s *state) upstream(name string) *upstream {
	for _, u := range s.upstreams {
		if u.Name == name {
			return u
		}
	}
	return nil
}
