package command

// Own lists the proxy's own commands, which no server knows, in the form of a server's description. They are part of
// the table. The list is shared and must not be changed. Any goroutine.
func Own() []Info { return own[:] }

var own = [...]Info{
	{Name: "info.shard", Arity: -2, Flags: []string{"loading", "no_multi", "stale"}, Group: "server"},
}
