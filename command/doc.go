// Package command is the table of commands: each one's name, number of words, places of its keys, route, and way to
// join several replies.
//
// # Purpose
//
// One lookup per request answers every question the session has about a command. scripts/gen-commands generates
// table_gen.go from what the servers report (COMMAND, its key specs and tips). Our own decisions are in decisions.go,
// each with a line and a reason.
//
// # Picture
//
//	words of a request ──> Lookup(args[0]) ──> *Spec ──(HasSubs)──> Sub(args[1]) ──> *Spec
//	                                             │
//	      ArityOK(argc)   FirstKeyPos(args)   AppendKeys(dst, args)   Blocks(args)   Class   Merge
//
//	servers ──COMMAND──> testdata/servers/*.json ──merge──> NewSpec + Decisions ──> table_gen.go
//
// # Who may call
//
// Any goroutine: the table never changes after the program started. NewSpec and ParseInfo
// allocate and are for start-up and control; everything else is for the path of a command.
//
// # Ownership of bytes
//
// Functions borrow the words they are given until they return and keep none of them. A *Spec
// lives for ever. AppendKeys writes only to the slice it is given.
//
// # Limits and errors
//
// Nothing allocates per command beyond the growth of AppendKeys's dst. Words are hostile. A count that is no integer,
// is negative or reaches beyond the words gives ErrNumKeys, missing keys give ErrNoKeys. Such a command fails on any
// server before it touches a key, so it may be sent to any of them, and the client gets the server's own error.
package command
