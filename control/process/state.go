package process

import (
	"net"

	"ringmaster/control/config"
)

// state is what is in force. It is not changed once it is stored: a reload makes another.
type state struct {
	config     *config.Config
	digest     uint64
	generation uint64
	upstreams  []*upstream // in the order of config.Upstreams
	sockets    []socket    // in the order of config.Listeners
	maxClients int
}

// socket is where one of the listeners accepts.
type socket struct {
	name, address string // as in the settings
	net.Listener
}

// socket is that of the listener of a name, or nil.
func (s *state) socket(name string) *socket {
	for i := range s.sockets {
		if s.sockets[i].name == name {
			return &s.sockets[i]
		}
	}
	return nil
}

// upstream is the running upstream of a name, or nil.
func (s *state) upstream(name string) *upstream {
	for _, u := range s.upstreams {
		if u.Name == name {
			return u
		}
	}
	return nil
}
