package session

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"ringmaster/parser"
	"ringmaster/pool"
)

// Every error text that clients see, in the words of Redis 7.0 where Redis has words.
const (
	errNoAuth           = "NOAUTH Authentication required."
	errWrongPass        = "WRONGPASS invalid username-password pair or user is disabled."
	errCrossSlot        = "CROSSSLOT Keys in request don't hash to the same slot"
	errSyntax           = "ERR syntax error"
	errNotInteger       = "ERR value is not an integer or out of range"
	errIntRange         = "ERR value is out of range, value must between -2147483648 and 2147483647"
	errCursor           = "ERR invalid cursor"
	errDBRange          = "ERR DB index is out of range"
	errClientName       = "ERR Client names cannot contain spaces, newlines or special characters."
	errLongName         = "ERR the name is longer than the proxy's limit of 4096 bytes"
	errNoPassword       = "ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?"
	errProtoInt         = "ERR Protocol version is not an integer or out of range"
	errProtoRange       = "NOPROTO unsupported protocol version"
	errHelloNoAuth      = "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol version at the same time"
	errHelloNoAuth72    = "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol version at the same time"
	errNestedMulti      = "ERR MULTI calls can not be nested"
	errDiscard          = "ERR DISCARD without MULTI"
	errExec             = "ERR EXEC without MULTI"
	errExecAbort        = "EXECABORT Transaction discarded because of previous errors."
	errNoMulti          = "ERR Command not allowed inside a transaction"
	errWatchInMulti     = "ERR WATCH inside MULTI is not allowed"
	errHelloInMulti     = "ERR HELLO can't change the protocol inside a transaction"
	errTrackingLost     = "ERR the connection to a server was lost before tracking was on; nothing is tracked"
	errRedirectInMulti  = "ERR CLIENT TRACKING with REDIRECT is not allowed inside a transaction"
	errSubAndPub        = "ERR a transaction can't both subscribe to channels and publish"
	errShardInMulti     = "ERR SSUBSCRIBE isn't allowed for a DENY BLOCKING client"
	errMultiRefused     = "ERR the server refuses MULTI from the proxy; no command of the transaction was sent"
	errPinnedElsewhere  = "CROSSSLOT Keys in request don't hash to the same slot as the keys that are watched"
	errNoCluster        = "ERR This instance has cluster support disabled"
	errCursorRange      = "ERR the shard's cursor is too large to hold the shard's number"
	errOddReply         = "ERR the shards' replies can't be combined"
	errShortReply       = "ERR this value is missing from the shard's reply"
	errClientID         = "ERR Invalid client ID"
	errNoClient         = "ERR No such client"
	errSubscriptionLost = "ERR the connection to the server was lost before it confirmed the subscription"
	errManyDBs          = "ERR too many databases are in use at once"
	errMaxClients       = "ERR max number of clients reached"
	errNotTracking      = "ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or OPTOUT mode enabled"
	errCachingYes       = "ERR CLIENT CACHING YES is only valid when tracking is enabled in OPTIN mode."
	errCachingNo        = "ERR CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode."
	errStoppedWaiting   = "ERR the proxy is shutting down; the command was waiting and did not run"
	errListenerClosed   = "ERR the proxy no longer listens on this address"
	errClosedWaiting    = errListenerClosed + "; the command was waiting and did not run"
	errRedirectTo       = "ERR The client ID you want redirect to does not exist"
	errClientIDRange    = "ERR client-id should be greater than 0"
	errMaxAge           = "ERR maxage is not an integer or out of range" // Redis 8.0, networking.c
	errMaxAgeRange      = "ERR maxage should be greater than 0"
	errUnblockReason    = "ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR"
	errBadSlot          = "ERR Invalid slot"
	errBadCount         = "ERR Invalid slot or number of keys"
	errWalkSize         = "ERR the slot has more keys than the proxy can scan"
)

// How a server begins that does not let the proxy give a command.
var noPermissionAt, unknownAt = []byte("-NOPERM"), []byte("-ERR unknown command")

var errNoServerID = errors.New("the server did not report the ID of its connection")

// MaxClients is the reply to a client over the limit.
const MaxClients = "-" + errMaxClients + "\r\n"

// maxQuoted bounds what of a client's words an error repeats (Redis 7.0, server.c).
const maxQuoted = 128

func unknownCommand(args [][]byte) string {
	var b strings.Builder
	for _, a := range args[1:] {
		if b.Len() >= maxQuoted {
			break
		}
		fmt.Fprintf(&b, "'%s' ", quoted(a, maxQuoted-b.Len()))
	}
	return fmt.Sprintf("ERR unknown command '%s', with args beginning with: %s", quoted(args[0], maxQuoted), &b)
}

func unknownSubcommand(name, sub []byte) string {
	return fmt.Sprintf("ERR unknown subcommand '%s'. Try %s HELP.", quoted(sub, maxQuoted),
		bytes.ToUpper(quoted(name, len(name))))
}

// wrongWords is for a subcommand that has too many words (Redis 7.0, addReplySubcommandSyntaxError).
func wrongWords(name, sub []byte) string {
	return fmt.Sprintf("ERR unknown subcommand or wrong number of arguments for '%s'. Try %s HELP.", quoted(sub, maxQuoted),
		bytes.ToUpper(quoted(name, len(name))))
}

// quoted is what C's "%.*s" prints of b: at most n bytes, up to a NUL.
func quoted(b []byte, n int) []byte {
	b = b[:min(len(b), n)]
	if i := bytes.IndexByte(b, 0); i >= 0 {
		b = b[:i]
	}
	return b
}

func wrongArity(name string) string {
	return "ERR wrong number of arguments for '" + name + "' command"
}

// sortDenied is for SORT with a pattern, behind the word option, of keys that may lie on any shard.
func sortDenied(option []byte) string {
	return "ERR " + string(bytes.ToUpper(option)) + " option of SORT denied in cluster mode."
}

func noPermission(name string) string {
	return "NOPERM this user has no permissions to run the '" + name + "' command"
}

// lockedOut refuses to an administrator what would lock the proxy out of its servers.
func lockedOut(name, why string) string {
	return "NOPERM '" + name + "' would lock ringmaster out of its servers: " + why
}

// execAbort is the error of an EXEC that is rejected itself (Redis 7.0, execCommandAbort).
func execAbort(text string) string {
	return "EXECABORT Transaction discarded because of: " + strings.TrimPrefix(text, "ERR ")
}

func onlySubscribe(name string) string {
	return "ERR Can't execute '" + name + "': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context"
}

func unsupported(name string) string {
	return "ERR '" + name + "' is not supported by this version of ringmaster"
}

func unknownOption(attr []byte) string {
	return "ERR Unrecognized option '" + string(quoted(attr, maxQuoted)) + "'"
}

func unknownClientType(word []byte) string {
	return "ERR Unknown client type '" + string(quoted(word, len(word))) + "'"
}

func noSuchUser(name []byte) string {
	return "ERR No such user '" + string(quoted(name, len(name))) + "'"
}

func unknownNode(id []byte) string { return "ERR Unknown node " + string(id) }

func badInfo(attr []byte) string {
	return "ERR " + strings.ToLower(string(attr)) + " cannot contain spaces, newlines or special characters."
}

func helloSyntax(option []byte) string {
	return "ERR Syntax error in HELLO option '" + string(quoted(option, len(option))) + "'"
}

func protocolError(err *parser.ProtocolError) string { return "ERR " + err.Error() }

func oneServerOnly(name string) string {
	return "ERR '" + name + "' describes one server; the replies of several shards can't be combined"
}

func keysUnknown(name string) string {
	return "ERR the servers do not report where the keys of '" + name + "' are, so the proxy can't choose a server"
}

func noSuchShard(name []byte, shards int) string {
	return fmt.Sprintf("ERR no such shard '%s'; use a number from 0 to %d or a server's name", quoted(name, maxQuoted), shards-1)
}

func oneServerState(name string) string {
	return "ERR '" + name + "' keeps state on one server and can't be used with several servers"
}

func notInTransaction(name string) string {
	return "ERR '" + name + "' is sent to several shards and can't be part of a transaction"
}

// notSubscribed is for a SUBSCRIBE whose server has not confirmed it in time.
func notSubscribed(timeout fmt.Stringer, server string) string {
	return fmt.Sprintf("ERR timed out after %s waiting for server %s; nothing is subscribed", timeout, server)
}

func unreachable(cause error) string { return "ERR no server can be reached: " + cause.Error() }

// failureText says in a reply why a server did not answer.
func failureText(f *pool.Failure, timeout fmt.Stringer) string {
	switch f.Kind {
	case pool.TimedOut:
		return fmt.Sprintf("ERR timed out after %s waiting for server %s", timeout, f.Server) + fate(f)
	case pool.Lost:
		return "ERR lost the connection to server " + f.Server + fate(f) + cause(f)
	case pool.Overloaded:
		return "ERR server " + f.Server + " has too many requests waiting" + fate(f)
	case pool.Moved:
		return "ERR server " + f.Server + " no longer has the keys, and the command can't be sent to another server; it did not run"
	case pool.Overtaken:
		return "ERR server " + f.Server + " refused the command at first, and a later command has run since; the first one did not run"
	case pool.NoneFree:
		return "ERR no dedicated connection is available for this command (see --pinned-connections); it was not sent"
	case pool.NoReplica:
		return "ERR no replica of server " + f.Server + " is available for reads" + fate(f)
	case pool.NoMulti:
		return errMultiRefused
	case pool.Stopping:
		return "ERR the proxy is shutting down" + fate(f)
	}
	return "ERR server " + f.Server + " is down" + fate(f) + cause(f)
}

// fate says what became of a command that has no reply.
func fate(f *pool.Failure) string {
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

// notAllowedInMulti refuses a command inside a transaction, in the words of Valkey 9.
func notAllowedInMulti(name string) string {
	return "ERR Command '" + name + "' not allowed inside a transaction"
}

// forgedReply refuses an argument of FUNCTION LIST that Valkey (9.1.2) would put into its error as it came: with a line break
// in it a client could write replies for those who share the connection. Redis makes spaces of them. "": it has none.
func forgedReply(args [][]byte) (text string) {
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
