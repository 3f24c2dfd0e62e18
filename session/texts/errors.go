package texts

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"ringmaster/parser"
	"ringmaster/pool"
)

// Error texts without arguments. Where Redis has a text it is that of Redis 7.0.
const (
	NoAuth           = "NOAUTH Authentication required."
	WrongPass        = "WRONGPASS invalid username-password pair or user is disabled."
	CrossSlot        = "CROSSSLOT Keys in request don't hash to the same slot"
	Syntax           = "ERR syntax error"
	NotInteger       = "ERR value is not an integer or out of range"
	IntRange         = "ERR value is out of range, value must between -2147483648 and 2147483647"
	Cursor           = "ERR invalid cursor"
	DBRange          = "ERR DB index is out of range"
	ClientName       = "ERR Client names cannot contain spaces, newlines or special characters."
	LongName         = "ERR the name is longer than the proxy's limit of 4096 bytes"
	NoPassword       = "ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?"
	ProtoInt         = "ERR Protocol version is not an integer or out of range"
	ProtoRange       = "NOPROTO unsupported protocol version"
	HelloNoAuth      = "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol version at the same time"
	HelloNoAuth72    = "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol version at the same time"
	NestedMulti      = "ERR MULTI calls can not be nested"
	Discard          = "ERR DISCARD without MULTI"
	Exec             = "ERR EXEC without MULTI"
	ExecAborted      = "EXECABORT Transaction discarded because of previous errors."
	NoMulti          = "ERR Command not allowed inside a transaction"
	WatchInMulti     = "ERR WATCH inside MULTI is not allowed"
	HelloInMulti     = "ERR HELLO can't change the protocol inside a transaction"
	TrackingLost     = "ERR the connection to a server was lost before tracking was on; nothing is tracked"
	RedirectInMulti  = "ERR CLIENT TRACKING with REDIRECT is not allowed inside a transaction"
	SubAndPub        = "ERR a transaction can't both subscribe to channels and publish"
	ShardInMulti     = "ERR SSUBSCRIBE isn't allowed for a DENY BLOCKING client"
	MultiRefused     = "ERR the server refuses MULTI from the proxy; no command of the transaction was sent"
	PinnedElsewhere  = "CROSSSLOT Keys in request don't hash to the same slot as the keys that are watched"
	NoCluster        = "ERR This instance has cluster support disabled"
	CursorRange      = "ERR the shard's cursor is too large to hold the shard's number"
	OddReply         = "ERR the shards' replies can't be combined"
	ShortReply       = "ERR this value is missing from the shard's reply"
	ClientID         = "ERR Invalid client ID"
	NoClient         = "ERR No such client"
	SubscriptionLost = "ERR the connection to the server was lost before it confirmed the subscription"
	ManyDBs          = "ERR too many databases are in use at once"
	WantTLS          = "ERR this port speaks TLS only; connect with TLS (rediss:// instead of redis://)"
	tooManyClients   = "ERR max number of clients reached"
	NotTracking      = "ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or OPTOUT mode enabled"
	CachingYes       = "ERR CLIENT CACHING YES is only valid when tracking is enabled in OPTIN mode."
	CachingNo        = "ERR CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode."
	StoppedWaiting   = "ERR the proxy is shutting down; the command was waiting and did not run"
	ListenerClosed   = "ERR the proxy no longer listens on this address"
	ClosedWaiting    = ListenerClosed + "; the command was waiting and did not run"
	RedirectTo       = "ERR The client ID you want redirect to does not exist"
	ClientIDRange    = "ERR client-id should be greater than 0"
	MaxAge           = "ERR maxage is not an integer or out of range" // Redis 8.0, networking.c
	MaxAgeRange      = "ERR maxage should be greater than 0"
	UnblockReason    = "ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR"
	BadSlot          = "ERR Invalid slot"
	BadCount         = "ERR Invalid slot or number of keys"
	WalkSize         = "ERR the slot has more keys than the proxy can scan"
)

// NoPermissionAt and UnknownAt are how the error of a server begins that does not allow the proxy a command, or does
// not know it.
var NoPermissionAt, UnknownAt = []byte("-NOPERM"), []byte("-ERR unknown command")

// ErrNoServerID is the cause of a failure after CLIENT ID.
var ErrNoServerID = errors.New("the server did not report the ID of its connection")

// MaxClients is the whole reply to a client over the limit.
const MaxClients = "-" + tooManyClients + "\r\n"

// maxQuoted is how much of a client's words an error repeats (Redis 7.0, server.c); bytes.
const maxQuoted = 128

// UnknownCommand refuses a command that the servers do not know. With brief, a command without arguments gets no
// sentence about them: so does Redis from 8.6 on (server.c, commandCheckExistence), but no earlier Redis and no Valkey.
func UnknownCommand(args [][]byte, brief bool) string {
	if brief && len(args) == 1 {
		return fmt.Sprintf("ERR unknown command '%s'", Quoted(args[0], maxQuoted))
	}
	var b strings.Builder
	for _, a := range args[1:] {
		if b.Len() >= maxQuoted {
			break
		}
		fmt.Fprintf(&b, "'%s' ", Quoted(a, maxQuoted-b.Len()))
	}
	return fmt.Sprintf("ERR unknown command '%s', with args beginning with: %s", Quoted(args[0], maxQuoted), &b)
}

func UnknownSubcommand(name, sub []byte) string {
	return fmt.Sprintf("ERR unknown subcommand '%s'. Try %s HELP.", Quoted(sub, maxQuoted),
		bytes.ToUpper(Quoted(name, len(name))))
}

// WrongWords refuses a subcommand with too many words (Redis 7.0, addReplySubcommandSyntaxError).
func WrongWords(name, sub []byte) string {
	return fmt.Sprintf("ERR unknown subcommand or wrong number of arguments for '%s'. Try %s HELP.", Quoted(sub, maxQuoted),
		bytes.ToUpper(Quoted(name, len(name))))
}

// Quoted returns what C's "%.*s" prints of b: at most n bytes, up to a NUL. The result is a part of b.
func Quoted(b []byte, n int) []byte {
	b = b[:min(len(b), n)]
	if i := bytes.IndexByte(b, 0); i >= 0 {
		b = b[:i]
	}
	return b
}

func WrongArity(name string) string {
	return "ERR wrong number of arguments for '" + name + "' command"
}

// SortDenied refuses SORT with a pattern, which follows the word option, where the keys may be on any shard.
func SortDenied(option []byte) string {
	return "ERR " + string(bytes.ToUpper(option)) + " option of SORT denied in cluster mode."
}

func NoPermission(name string) string {
	return "NOPERM this user has no permissions to run the '" + name + "' command"
}

// LockedOut refuses an administrator's command that would lock the proxy out of its servers.
func LockedOut(name, why string) string {
	return "NOPERM '" + name + "' would lock ringmaster out of its servers: " + why
}

// ExecAbort refuses an EXEC that is itself rejected (Redis 7.0, execCommandAbort).
func ExecAbort(text string) string {
	return "EXECABORT Transaction discarded because of: " + strings.TrimPrefix(text, "ERR ")
}

func OnlySubscribe(name string) string {
	return "ERR Can't execute '" + name + "': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context"
}

func Unsupported(name string) string {
	return "ERR '" + name + "' is not supported by this version of ringmaster"
}

func UnknownOption(attr []byte) string {
	return "ERR Unrecognized option '" + string(Quoted(attr, maxQuoted)) + "'"
}

func UnknownClientType(word []byte) string {
	return "ERR Unknown client type '" + string(Quoted(word, len(word))) + "'"
}

func NoSuchUser(name []byte) string {
	return "ERR No such user '" + string(Quoted(name, len(name))) + "'"
}

func UnknownNode(id []byte) string { return "ERR Unknown node " + string(id) }

func BadInfo(attr []byte) string {
	return "ERR " + strings.ToLower(string(attr)) + " cannot contain spaces, newlines or special characters."
}

func HelloSyntax(option []byte) string {
	return "ERR Syntax error in HELLO option '" + string(Quoted(option, len(option))) + "'"
}

func ProtocolError(err *parser.ProtocolError) string { return "ERR " + err.Error() }

func OneServerOnly(name string) string {
	return "ERR '" + name + "' describes one server; the replies of several shards can't be combined"
}

func KeysUnknown(name string) string {
	return "ERR the servers do not report where the keys of '" + name + "' are, so the proxy can't choose a server"
}

func NoSuchShard(name []byte, shards int) string {
	return fmt.Sprintf("ERR no such shard '%s'; use a number from 0 to %d or a server's name", Quoted(name, maxQuoted), shards-1)
}

func OneServerState(name string) string {
	return "ERR '" + name + "' keeps state on one server and can't be used with several servers"
}

func NotInTransaction(name string) string {
	return "ERR '" + name + "' is sent to several shards and can't be part of a transaction"
}

// NotSubscribed is the error of a SUBSCRIBE that its server has not confirmed in time.
func NotSubscribed(timeout fmt.Stringer, server string) string {
	return fmt.Sprintf("ERR timed out after %s waiting for server %s; nothing is subscribed", timeout, server)
}

func Unreachable(cause error) string { return "ERR no server can be reached: " + cause.Error() }

// FailureText describes why a server did not answer.
func FailureText(f *pool.Failure, timeout fmt.Stringer) string {
	switch f.Kind {
	case pool.TimedOut:
		return fmt.Sprintf("ERR timed out after %s waiting for server %s", timeout, f.Server) + Fate(f)
	case pool.Lost:
		return "ERR lost the connection to server " + f.Server + Fate(f) + cause(f)
	case pool.Overloaded:
		return "ERR server " + f.Server + " has too many requests waiting" + Fate(f)
	case pool.Moved:
		return "ERR server " + f.Server + " no longer has the keys, and the command can't be sent to another server; it did not run"
	case pool.Overtaken:
		return "ERR server " + f.Server + " refused the command at first, and a later command has run since; the first one did not run"
	case pool.NoneFree:
		return "ERR no dedicated connection is available for this command (see --pinned-connections); it was not sent"
	case pool.NoReplica:
		return "ERR no replica of server " + f.Server + " is available for reads" + Fate(f)
	case pool.NoMulti:
		return MultiRefused
	case pool.Stopping:
		return "ERR the proxy is shutting down" + Fate(f)
	}
	return "ERR server " + f.Server + " is down" + Fate(f) + cause(f)
}

// Fate describes whether a command without a reply may have run.
func Fate(f *pool.Failure) string {
	switch {
	case f.Sent:
		return "; the command may have run"
	case f.Refused:
		return "; the command did not run"
	}
	return "; the command was not sent"
}

func cause(f *pool.Failure) string {
	if f.Cause == nil {
		return ""
	}
	return " (" + f.Cause.Error() + ")"
}

// NotAllowedInMulti refuses a command inside a transaction, in the words of Valkey 9.
func NotAllowedInMulti(name string) string {
	return "ERR Command '" + name + "' not allowed inside a transaction"
}

// ForgedReply returns the error for an argument of FUNCTION LIST with a line break; "": there is none. Valkey (9.1.2)
// would repeat the argument as it is, so a client could forge replies for others on the same connection. Redis replaces
// line breaks by spaces.
func ForgedReply(args [][]byte) (text string) {
	for i := 2; i < len(args); i++ {
		switch {
		case bytes.EqualFold(args[i], []byte("withcode")):
		case bytes.EqualFold(args[i], []byte("libraryname")):
			i++
		case bytes.ContainsAny(args[i], "\r\n"):
			return "ERR Unknown argument " + string(args[i])
		}
	}
	return ""
}
