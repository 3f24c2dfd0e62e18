package answer

import (
	"bytes"
	"slices"

	"ringmaster/parser"
	"ringmaster/shard"
)

// Elsewhere reports whether an error may say that a request can't be answered now, or not there. A script that such an error
// has stopped may have written before: servers from Redis 7 and Valkey on say where it was stopped, older ones begin with ERR.
func Elsewhere(b []byte) bool {
	for _, word := range []string{"-MOVED ", "-ASK ", "-TRYAGAIN ", "-CLUSTERDOWN ", "-LOADING ", "-MASTERDOWN ", "-READONLY "} {
		if len(b) > len(word) && string(b[:len(word)]) == word {
			return !bytes.Contains(b, stoppedScript)
		}
	}
	return false
}

var stoppedScript = []byte(" script: ")

// NamesNode reports whether an error names a node of the cluster. No client gets such an error, because clients do not know the nodes.
func NamesNode(b []byte) bool {
	return bytes.HasPrefix(b, []byte("-MOVED ")) || bytes.HasPrefix(b, []byte("-ASK "))
}

// Named takes the hash slot and the address out of MOVED or ASK; slot -1: there is none.
func Named(reply []byte) (slot int, addr []byte) {
	_, rest, _ := bytes.Cut(bytes.TrimRight(reply, "\r\n"), []byte(" "))
	digits, addr, _ := bytes.Cut(rest, []byte(" "))
	n, ok := parser.Int(digits)
	if !ok || n < 0 || n >= shard.Slots {
		return -1, addr
	}
	return int(n), addr
}

// OutOfMemory reports whether a reply says that the server lacks memory for the command. Any goroutine.
func OutOfMemory(reply []byte) bool { return bytes.HasPrefix(reply, []byte("-OOM ")) }

// RefusesWrites reports whether an error says that the server is a replica.
func RefusesWrites(b []byte) bool {
	return bytes.HasPrefix(b, []byte("-READONLY ")) || bytes.HasPrefix(b, []byte("-MASTERDOWN "))
}

// Passing reports whether an error is one of a server that answers nobody for a while.
func Passing(b []byte) bool {
	return bytes.HasPrefix(b, BusyWord) || bytes.HasPrefix(b, []byte("-LOADING ")) || bytes.HasPrefix(b, []byte("-MASTERDOWN "))
}

var BusyWord = []byte("-BUSY ")

// Denied reports whether an error says that the command is not there, or not for us.
func Denied(b []byte) bool {
	return bytes.HasPrefix(b, []byte("-NOPERM ")) || bytes.HasPrefix(b, UnknownCommand)
}

var UnknownCommand = []byte("-ERR unknown command")

// VersionIn is the version in a reply to HELLO; empty: there is none.
func VersionIn(hello []byte) []byte {
	_, rest, _ := bytes.Cut(hello, []byte("version\r\n$"))
	digits, rest, _ := bytes.Cut(rest, []byte("\r\n"))
	n, ok := parser.Int(digits)
	if !ok || n <= 0 || n >= 64 || int(n) > len(rest) {
		return nil
	}
	return rest[:n]
}

// refusals are the words with which servers of all versions refuse a script before it runs (Redis 6.2 to 8.6, Valkey 7.2 to 9.1).
var refusals = [...]string{
	"-TRYAGAIN Multiple keys request during rehashing of slot\r\n",
	"-CLUSTERDOWN Hash slot not served\r\n",
	"-CLUSTERDOWN The cluster is down\r\n",
	"-CLUSTERDOWN The cluster is down and only accepts read commands\r\n",
	"-LOADING Redis is loading the dataset in memory\r\n",
	"-LOADING Valkey is loading the dataset in memory\r\n",
	"-MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.\r\n",
	"-MASTERDOWN Link with MASTER is down, replica-serve-stale-data is set to 'no' and 'allow-stale' flag is not set on the script.\r\n",
	"-READONLY You can't write against a read only replica.\r\n",
	"-READONLY Can not run script with write flag on readonly replica\r\n",
	"-READONLY Can not run script with write flag on readonly replica.\r\n",
}

// RefusesScript reports whether a reply is one of these.
func RefusesScript(reply []byte) bool { return slices.Contains(refusals[:], string(reply)) }

// Confirms reports whether a witness says that the server refuses a command with such a reply.
func Confirms(witness, reply []byte) bool {
	switch word := reply[:bytes.IndexByte(reply, ' ')+1]; string(word) {
	case "-READONLY ":
		return bytes.Contains(witness[:min(len(witness), maxRole)], []byte("$5\r\nslave\r\n"))
	case "-LOADING ", "-MASTERDOWN ":
		return bytes.HasPrefix(witness, word)
	}
	// A slot on its way to another node is refused in one way now and in another a moment later.
	return NamesNode(witness) || bytes.HasPrefix(witness, []byte("-TRYAGAIN ")) || bytes.HasPrefix(witness, []byte("-CLUSTERDOWN "))
}

// maxRole is up to where ROLE names the role, bytes.
const maxRole = 20

// IDIn is what a server calls a connection in a reply to HELLO; 0: it has not said.
func IDIn(hello []byte) int64 {
	_, rest, _ := bytes.Cut(hello, []byte("$2\r\nid\r\n:"))
	digits, _, ok := bytes.Cut(rest, []byte("\r\n"))
	if n, number := parser.Int(digits); ok && number {
		return n
	}
	return 0
}
