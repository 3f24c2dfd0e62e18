// Package config holds the settings of ringmaster.
//
// # Purpose
//
// One table ([Settings]) says of every setting what it is called, what it does, what
// raising and lowering it costs, and how its value is read. The flags, the YAML
// file, the help text and docs/configuration.md are made from it.
//
// # Picture
//
//	defaults (table) -> YAML file -> environment (secrets) -> flags     later wins
//	                         \            |                   /
//	                          `------> Loader.Load ----------'
//	                                      |  every value parsed, then checked together
//	                                      v
//	                               *Config, or Problems with file and line
//
// # Who may call
//
// Start-up and `ringmaster check`, on one goroutine. A loaded [Config] is not
// changed any more: Any goroutine may read it.
//
// # Ownership of bytes
//
// Nothing is borrowed. Secrets are held as [Secret], which every way of printing hides.
//
// # Limits and errors
//
// Files are at most 1 MiB, password files 4 KiB, numbers within the bounds the
// table names. Load never stops at the first mistake: it returns all of them
// as [Problems], each with where it stands and what was expected.
package config
