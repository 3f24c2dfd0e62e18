package ask

// Carrier says by what a server may put text of a client into a reply as it came. Where it does not escape line breaks there
// (CVE-2025-67733 and its like), the client writes replies: those who share the connection would get them.
type Carrier uint8

// The carriers, as a set of bits.
const (
	// Scripts are what runs scripts and functions.
	Scripts Carrier = 1 << iota
	// Modules are the commands of modules: what these answer, no server escapes.
	Modules
	// Libraries are what loads scripts and functions, and what is as rare: no server escapes what FUNCTION LOAD says of code that
	// does not compile (Redis 7.0 to 8.6, Valkey 8.0 to 9.1).
	Libraries
)
