package pool

import (
	"ringmaster/pool/ask"
	"ringmaster/pool/queue"
)

// The words of package ask under the names by which everybody above knows them.

type (
	// Request is [ask.Request].
	Request = ask.Request
	// Batch is [ask.Batch].
	Batch = ask.Batch
	// Manner is [ask.Manner].
	Manner = ask.Manner
	// Keys are [ask.Keys].
	Keys = ask.Keys
	// Carrier is [ask.Carrier].
	Carrier = ask.Carrier
	// Receiver is [ask.Receiver].
	Receiver = ask.Receiver
	// Client is [ask.Client].
	Client = ask.Client
	// Unplaced is [ask.Unplaced].
	Unplaced = ask.Unplaced
	// Nobody is [ask.Nobody].
	Nobody = ask.Nobody
	// Piece is [ask.Piece].
	Piece = ask.Piece
	// Failure is [ask.Failure].
	Failure = ask.Failure
)

// See package ask.
const (
	Here     = ask.Here
	Blocks   = ask.Blocks
	ByPolicy = ask.ByPolicy
	Lasts    = ask.Lasts

	Scripts   = ask.Scripts
	Modules   = ask.Modules
	Libraries = ask.Libraries

	First = ask.First
	Last  = ask.Last
	Whole = ask.Whole

	Down       = ask.Down
	Lost       = ask.Lost
	TimedOut   = ask.TimedOut
	Overloaded = ask.Overloaded
	Stopping   = ask.Stopping
	NoneFree   = ask.NoneFree
	NoReplica  = ask.NoReplica
	Moved      = ask.Moved
	NoMulti    = ask.NoMulti
	Overtaken  = ask.Overtaken

	NoPlace      = ask.NoPlace
	LargeRequest = queue.LargeRequest
)

// KeysIn is [ask.KeysIn].
func KeysIn(slot int, reads bool) Keys { return ask.KeysIn(slot, reads) }
