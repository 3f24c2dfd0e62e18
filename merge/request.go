package merge

import (
	"ringmaster/command"
	"ringmaster/parser"
)

// Part is what one server has said.
type Part struct {
	// Reply is a whole reply, of at least one byte. The Request borrows it until its reply is made.
	Reply []byte
	off   int // what is used of Reply, bytes
	// Patterns is how many of the patterns of the proxy's clients the server counts, for PUBSUB NUMPAT.
	Patterns int32
	// Failed says that the server could not answer, and that Reply is an error of the proxy's own.
	Failed bool
}

// Request is a command with all that its parts are joined by. What a command does not need can be left out.
// One goroutine at a time; Parts are used up by the joining.
type Request struct {
	Spec *command.Spec
	// Merge is how the parts are joined: Spec.Merge, or another way where the command has several.
	Merge command.Merge
	// Parts are in the order in which the servers were asked. There is at least one.
	Parts []Part
	// Servers are the names of the parts' servers, for command.MergeTexts and MergeSpecial: the joined reply may tell them.
	Servers []string
	// Texts are the errors that a joining may end with.
	Texts *Texts

	// Order says which part answers each key, for command.MergeInKeyOrder.
	Order []int32
	// Pick is the part to begin at, drawn by chance, for command.MergeRandom.
	Pick int
	// Limit is how many entries of a log were asked for; below 0: all.
	Limit int64
	// Scan is where a SCAN stands.
	Scan ScanPlace
	// Clients is how many clients the proxy has, for INFO.
	Clients int
	// Patterns is how many patterns the proxy's clients have subscribed to, for PUBSUB NUMPAT.
	Patterns int
	// Cluster says that the proxy stands for a node of a cluster, for INFO.
	Cluster bool
	// Everywhere says by command.Spec.ID which commands go to all shards, for logs and histograms of commands.
	Everywhere []bool

	lacking []string // the servers whose parts the reply does without
}

// Texts are errors as clients see them, each with its code in front.
type Texts struct {
	Odd    string // the replies are of no shape that can be joined
	Short  string // a reply has fewer elements than it was asked for
	Cursor string // a cursor is too large to carry the shard's number
}

// Append appends the one reply that the parts make together. An error of any part is the reply, except where the
// merge has a place for it, or can do without the part.
func (r *Request) Append(dst []byte) []byte {
	r.lacking = r.lacking[:0]
	switch r.Merge {
	case command.MergeInKeyOrder:
		return r.inKeyOrder(dst)
	case command.MergeOneOK:
		return r.oneOK(dst)
	case command.MergeTexts:
		return r.texts(dst)
	}
	if e := r.FirstError(); e != nil && !r.leaveOut() {
		return append(dst, e...)
	}
	switch r.Merge {
	case command.MergeSum, command.MergeMin, command.MergeAnd:
		return r.numbers(dst, foldOf(r.Merge))
	case command.MergeConcat:
		return r.concat(dst)
	case command.MergeRandom:
		return r.random(dst)
	case command.MergeSpecial:
		if s, ok := specials[r.Spec.Name]; ok {
			if r.Spec.Traits.Has(command.TraitTakenApart) && r.longest() > maxTakenApart {
				return r.odd(dst)
			}
			return s.join(r, dst)
		}
	}
	return r.first(dst)
}

// FirstError is the first part that is an error: a server's own rather than one of the proxy's, because it says
// more. nil: there is none. Valid as long as the part.
func (r *Request) FirstError() []byte {
	var found []byte
	for i := range r.Parts {
		p := &r.Parts[i]
		if !parser.IsError(p.Reply) {
			continue
		}
		if !p.Failed {
			return p.Reply
		}
		if found == nil {
			found = p.Reply
		}
	}
	return found
}

// server is the name of a part's server.
func (r *Request) server(part int) string {
	if part < len(r.Servers) {
		return r.Servers[part]
	}
	return ""
}

// first is the reply of the first server.
func (r *Request) first(dst []byte) []byte { return append(dst, r.Parts[0].Reply...) }

// oneOK is the first reply that is no error; when all failed, the first error.
func (r *Request) oneOK(dst []byte) []byte {
	for i := range r.Parts {
		if b := r.Parts[i].Reply; b[0] != '-' {
			return append(dst, b...)
		}
	}
	return r.first(dst)
}

// random is one of the replies that are not nil; nil when all are.
func (r *Request) random(dst []byte) []byte {
	for i := range r.Parts {
		b := r.Parts[(r.Pick+i)%len(r.Parts)].Reply
		if !parser.IsNull(b) {
			return append(dst, b...)
		}
	}
	return r.first(dst)
}

// odd is the error for replies that can't be joined.
func (r *Request) odd(dst []byte) []byte { return parser.AppendError(dst, r.Texts.Odd) }

// maxTakenApart bounds the length of the replies that are taken apart, bytes.
const maxTakenApart = 16 << 20

// longest is the length of the longest part, bytes.
func (r *Request) longest() (n int) {
	for i := range r.Parts {
		n = max(n, len(r.Parts[i].Reply))
	}
	return n
}
