// Package config holds the settings of ringmaster.
//
// # Purpose
//
// One table ([Settings]) says of every setting what it is called, what it does, what
// raising and lowering it costs, how its value is read, and in which objects of the
// file it may stand. The flags, the YAML file, the help text and
// docs/configuration.md are made from it.
//
// # Picture
//
//	defaults (table) -> YAML file -> environment (secrets) -> flags     later wins
//	                         \            |                   /
//	                          `------> Loader.Load ----------'
//	                                      |  every value parsed, then checked together
//	                                      v
//	                               *Config, or Problems with file and line
//	                                 ├── Listeners: the top level with a listener's own values over it
//	                                 └── Upstreams: the top level with an upstream's own values over it
//
// Flat settings are short for a listener for each address of listen, and for one
// upstream called [DefaultUpstream].
//
// # Files
//
//   - setting.go: what a setting is; table_clients.go, table_servers.go, table_replicas.go, table_process.go: the table
//   - values.go, address.go, commands.go: what values are made of, addresses, and names of commands
//   - flags.go, file.go, objects.go, secrets.go: flags, the file, its listeners and upstreams, and passwords
//   - load.go: one source over the other; config.go, tree.go: what comes of it; sources.go: where each value came from
//   - check.go, replicas.go: what stands between settings; problems.go, suggest.go: mistakes, and names that are near; syntax.go: where a
//     file is no YAML, and files of other proxies
//   - merge.go: what a running process goes by once the file has changed
//   - reference.go, print.go: the reference, and the settings in force as a file
//
// # Who may call
//
// Start-up, `ringmaster check` and reloads: a [Loader] on one goroutine at a time. A loaded [Config] is not
// changed any more: Any goroutine may read it.
//
// # Ownership of bytes
//
// Nothing is borrowed. Secrets are held as [Secret], which every way of printing hides.
//
// # Limits and errors
//
// Files are at most 1 MiB, and so is what their aliases stand for; password files are
// at most 4 KiB. A file has at most 256 listeners and 64 upstreams. Numbers are within
// the bounds the table names. Load never stops at the first mistake: it returns all of them
// as [Problems], each with where it stands and what was expected.
package config
