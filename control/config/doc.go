// Package config holds the settings of ringmaster.
//
// # Purpose
//
// One table ([Settings]) has every setting's name, what it does, what raising and lowering it costs, how its value is
// read, and in which objects of the file it may stand. The flags, the YAML file, the help text and
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
// Flat settings are a short form of one listener for each address of listen, and one upstream called
// [DefaultUpstream].
//
// # Files
//
//   - setting.go: a setting; table_clients.go, table_tls.go, table_servers.go, table_replicas.go, table_process.go: the table
//   - values.go, address.go, commands.go: the parsers of values, addresses, and names of commands
//   - flags.go, file.go, objects.go, secrets.go: flags, the file, its listeners and upstreams, and passwords
//   - load.go: one source over the other; config.go, tree.go: the result; sources.go: where each value came from
//   - check.go, replicas.go, tls.go: checks of settings against each other; problems.go, suggest.go: mistakes, and similar
//     names; syntax.go: where a file is no YAML, and files of other proxies
//   - merge.go: the settings of a running process after the file has changed
//   - reference.go, print.go: the reference, and the settings in force as a file
//
// # Who may call
//
// Start-up, `ringmaster check` and reloads: a [Loader] on one goroutine at a time. A loaded [Config] never changes:
// Any goroutine may read it.
//
// # Ownership of bytes
//
// Nothing is borrowed. Secrets are of type [Secret], which every way of printing hides.
//
// # Limits and errors
//
// Files have at most 1 MiB, and so has the content that their aliases add; password files have at most 4 KiB. A file
// has at most 256 listeners and 64 upstreams. Numbers are within the bounds of the table. Load does not stop at the
// first mistake. It returns all mistakes as [Problems], each with its place and what was expected.
package config
