package merge

import (
	"ringmaster/command"
	"ringmaster/parser"
)

// Part is one server's reply.
type Part struct {
	// Reply is a whole reply, of at least one byte. The Request borrows it until its reply is made.
	Reply []byte
	off   int // bytes of Reply that are used
	// Patterns is how many patterns of the proxy's clients are in the server's count, for PUBSUB NUMPAT.
	Patterns int32
	// Failed says that the server could not answer, and that Reply is an error of the proxy's own.
	Failed bool
}

// Request is a command with everything that joining its parts needs. Fields that a command does not need may be left
// out. One goroutine at a time. The joining uses up Parts.
type Request struct {
	Spec *command.Spec
	// Merge is how the parts are joined: Spec.Merge, or another way where the command has several.
	Merge command.Merge
	// Parts are in the order in which the servers were asked. There is at least one.
	Parts []Part
	// Servers are the names of the parts' servers, for command.MergeTexts and MergeSpecial. The joined reply may
	// contain them.
	Servers []string
	// Texts are the errors that a joining may return.
	Texts *Texts

	// Order says which part answers each key, for command.MergeInKeyOrder.
	Order []int32
	// Pick is the part to begin at, chosen at random, for command.MergeRandom.
	Pick int
	// Limit is how many entries of a log were asked for; below 0: all.
	Limit int64
	// Scan is the position of a SCAN.
	Scan ScanPlace
	// Clients is how many clients the proxy has, for INFO.
	Clients int
	// Patterns is how many patterns the proxy's clients have subscribed to, for PUBSUB NUMPAT.
	Patterns int
	// Cluster says that the proxy stands for a node of a cluster, for INFO.
	Cluster bool
	// Everywhere says by command.Spec.ID which commands go to all shards, for logs and histograms of commands.
	Everywhere []bool

	lacking []string // the servers that the reply lacks
}

// Texts are errors as clients see them, each beginning with its code.
type Texts struct {
	Odd    string // the replies have a shape that can't be joined
	Short  string // a reply has fewer elements than keys were asked for
	Cursor string // a cursor is too large to carry the shard's number
}

// Append appends the joined reply. If a part is an error, that is the reply, unless the merge has a place for it or
// can do without the part.
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

// FirstError returns the first part that is an error, nil if there is none. A server's error goes before one of the
// proxy, because it says more. Valid as long as the part.
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

// server returns the name of a part's server.
func (r *Request) server(part int) string {
	if part < len(r.Servers) {
		return r.Servers[part]
	}
	return ""
}

// first appends the reply of the first server.
func (r *Request) first(dst []byte) []byte { return append(dst, r.Parts[0].Reply...) }

// oneOK appends the first reply that is no error or, if all failed, the first error.
func (r *Request) oneOK(dst []byte) []byte {
	for i := range r.Parts {
		if b := r.Parts[i].Reply; b[0] != '-' {
			return append(dst, b...)
		}
	}
	return r.first(dst)
}

// random appends a reply that is not nil, or nil if all are.
func (r *Request) random(dst []byte) []byte {
	for i := range r.Parts {
		b := r.Parts[(r.Pick+i)%len(r.Parts)].Reply
		if !parser.IsNull(b) {
			return append(dst, b...)
		}
	}
	return r.first(dst)
}

// odd appends the error for replies that can't be joined.
func (r *Request) odd(dst []byte) []byte { return parser.AppendError(dst, r.Texts.Odd) }

// maxTakenApart bounds the length of the replies that are taken apart, bytes.
const maxTakenApart = 16 << 20

// longest returns the length of the longest part, bytes.
func (r *Request) longest() (n int) {
	for i := range r.Parts {
		n = max(n, len(r.Parts[i].Reply))
	}
	return n
}
