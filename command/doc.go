// Package command is the table of commands: what each one is called, how many words it takes,
// where its keys are, where it goes and how several replies to it become one.
//
// # Purpose
//
// One lookup per request answers every question the session has about a command. What the
// servers know of themselves (COMMAND, its key specs and tips) is generated into table_gen.go by
// scripts/gen-commands; what we decided ourselves is a line and a reason each in decisions.go.
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
// Nothing allocates per command beyond the growth of AppendKeys's dst. Words are hostile: a
// count that is no integer, is negative or reaches beyond the words is ErrNumKeys, missing keys
// are ErrNoKeys. Such a command fails on any server before it touches a key, so it may be sent
// to any of them, and the client reads the error in the server's own words.
package command
