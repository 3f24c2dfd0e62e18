// Package doctest runs the commands and settings that the documents show.
//
// # Purpose
//
// A wrong document costs its reader an hour. Command lines, settings, sessions with redis-cli, links, flags and lists
// of commands in README.md, CONTRIBUTING.md and docs are executed or looked up.
//
// # Picture
//
//	```sh       ringmaster ...   ─► ringmaster check ...      make x, scripts/x ─► do they exist?
//	```yaml     # /etc/x.yaml    ─► ringmaster check --config
//	```console  $ command        ─► run against ringmaster demo; the lines below are what it prints
//	docs/deviations.md           ─► its commands are sent to ringmaster demo: answered, not yet, refused?
//	figures in README.md         ─► are they in BENCHMARKS.md?
//
// # Who may call
//
// Nobody: the package has tests only.
//
// # Ownership of bytes
//
// None.
//
// # Limits and errors
//
// A line of a shell block whose first word the tests do not know is an error, so that nothing is left
// unchecked by accident.
package doctest
