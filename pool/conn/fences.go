package conn

import (
	"bytes"
	"errors"

	"ringmaster/pool/ask"
)

// A fence is a request of the pool's own that follows a carrier at once. Its reply repeats a nonce, which no script can know.
// It must come right after the carrier's reply: a line more or less ends the connection before anything of it reaches
// another client. Within the carrier's reply the nonce must not be found: a forged length would then have taken in what
// belongs to others.
type fence struct {
	nonce    [nonceSize]byte
	from, at uint64 // places in the ring: of the first request that it guards, and its own
	carrier  ask.Carrier
	byName   bool // the nonce is the name of a command, which the server does not know
	odd      bool // the frame under way is not the fence's reply
	got      int  // bytes of the fence's reply that have come
}

// fences are those of a connection whose replies have not come.
//
// Invariant: guard == list[first].from, or no place that the ring reaches.
type fences struct {
	guard   uint64 // first, because every reply looks at it: see Conn
	list    []fence
	first   int
	seen    [nonceSize - 1]byte // the latest bytes of the reply that is looked through
	seenLen int
	surplus int // bytes of replies that nobody asked for, since the latest fence
}

func (f *fences) open() bool { return f.first < len(f.list) }

func (f *fences) head() *fence { return &f.list[f.first] }

// push adds a fence. Valid until the next push.
func (f *fences) push(one fence) *fence {
	if !f.open() {
		f.list, f.first, f.guard = f.list[:0], 0, one.from
	}
	f.list = append(f.list, one)
	return &f.list[len(f.list)-1]
}

func (f *fences) pop() {
	f.first++
	f.seenLen, f.surplus = 0, 0
	if !f.open() {
		f.reset()
		return
	}
	f.guard = f.head().from
}

func (f *fences) reset() {
	if cap(f.list) > maxKeptFences {
		f.list = nil
	}
	f.list, f.first, f.guard, f.seenLen, f.surplus = f.list[:0], 0, noGuard, 0, 0
}

// maxKeptFences is the most places for fences that a connection without any keeps.
const maxKeptFences = 4096

// holds reports whether the nonce of the first fence ends in b, which follows the bytes seen so far.
func (f *fences) holds(b []byte) bool {
	nonce := f.head().nonce[:]
	if f.seenLen > 0 {
		var joint [2 * (nonceSize - 1)]byte
		n := copy(joint[:], f.seen[:f.seenLen])
		n += copy(joint[n:], b[:min(len(b), nonceSize-1)])
		if bytes.Contains(joint[:n], nonce) {
			return true
		}
	}
	if bytes.Contains(b, nonce) {
		return true
	}
	if len(b) >= len(f.seen) {
		f.seenLen = copy(f.seen[:], b[len(b)-len(f.seen):])
		return false
	}
	keep := min(f.seenLen, len(f.seen)-len(b))
	copy(f.seen[:], f.seen[f.seenLen-keep:f.seenLen])
	f.seenLen = keep + copy(f.seen[keep:], b)
	return false
}

// repeats reports whether b goes on with the reply to ECHO.
func (f *fence) repeats(b []byte) bool {
	var want [fenceReplySize]byte
	n := copy(want[:], echoReply)
	n += copy(want[n:], f.nonce[:])
	copy(want[n:], crlf)
	return f.got+len(b) <= len(want) && bytes.Equal(b, want[f.got:f.got+len(b)])
}

const (
	nonceSize = 16
	noGuard   = ^uint64(0)
	// fenceReplySize is what the reply to ECHO takes, bytes.
	fenceReplySize = len("$16\r\n") + nonceSize + len("\r\n")
	// MaxWrapping is the most requests that come with a carrier: a fence, MULTI, EXEC.
	MaxWrapping = 3
	// FenceSize is the most that a fence's request takes, bytes.
	FenceSize = 48
	// muteFor is how long a server that answers BUSY gets fences by name, which it answers nevertheless, ns.
	muteFor = 1e9
	// refusedFor is the same for one that has refused a fence, ns. A script may have written the refusal: where the next fence
	// goes by name, no other forgery passes for one.
	refusedFor = 60e9
	// maxSurplus bounds the replies that nobody asked for and that a lane drops, bytes.
	maxSurplus = 1 << 20
)

var (
	echoStart = []byte("*2\r\n$4\r\nECHO\r\n$16\r\n")
	nameStart = []byte("*1\r\n$16\r\n")
	echoReply = []byte("$16\r\n")
	crlf      = []byte("\r\n")
)

var (
	errOutOfStep    = errors.New("sent too many or too few replies after a script or a module's command")
	errFenceRefused = errors.New("refused ECHO after a script or a module's command")
)
