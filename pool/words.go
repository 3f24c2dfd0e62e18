package pool

import (
	"ringmaster/pool/answer"
	"ringmaster/pool/ask"
	"ringmaster/pool/conn"
	"ringmaster/pool/queue"
)

// The words of the packages below under the names by which everybody above knows them.

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

	// Conn is [conn.Conn].
	Conn = conn.Conn
	// State is [conn.State].
	State = conn.State
	// Server is [conn.Server].
	Server = conn.Server
	// Socket is [conn.Socket].
	Socket = conn.Socket
	// Owner is [conn.Owner].
	Owner = conn.Owner
	// Key is [conn.Key].
	Key = conn.Key
	// Config is [conn.Config].
	Config = conn.Config
	// ScriptPolicy is [conn.ScriptPolicy].
	ScriptPolicy = conn.ScriptPolicy
	// Health is [conn.Health].
	Health = conn.Health
	// ServerHealth is [conn.ServerHealth].
	ServerHealth = conn.ServerHealth
	// Reads is [conn.Reads].
	Reads = conn.Reads
)

// See packages ask and conn.
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

	Closed      = conn.Closed
	Dialing     = conn.Dialing
	Handshaking = conn.Handshaking
	Ready       = conn.Ready
	Draining    = conn.Draining
	Retired     = conn.Retired

	ScriptsShared = conn.ScriptsShared
	ScriptsAuto   = conn.ScriptsAuto
	ScriptsOwn    = conn.ScriptsOwn

	ReadsNever  = conn.ReadsNever
	ReadsAlone  = conn.ReadsAlone
	ReadsAlways = conn.ReadsAlways

	NoPlace      = ask.NoPlace
	LargeRequest = queue.LargeRequest
)

// KeysIn is [ask.KeysIn].
func KeysIn(slot int, reads bool) Keys { return ask.KeysIn(slot, reads) }

// ErrRetired is [conn.ErrRetired].
var ErrRetired = conn.ErrRetired

// Elsewhere is [answer.Elsewhere].
func Elsewhere(reply []byte) bool { return answer.Elsewhere(reply) }

// NamesNode is [answer.NamesNode].
func NamesNode(reply []byte) bool { return answer.NamesNode(reply) }

// OutOfMemory is [answer.OutOfMemory].
func OutOfMemory(reply []byte) bool { return answer.OutOfMemory(reply) }
