package config

// Listener is where clients connect.
type Listener struct {
	Name, Address, Upstream string
	*Config
}

// Upstream is a set of servers.
type Upstream struct {
	Name string
	*Config
}
