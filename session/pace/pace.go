package pace

const (
	// First is how many requests a client of which nothing is known may have under way, unless the operator says otherwise.
	First = 2
	// rest is how long a client must have been silent to begin again so, ns.
	rest = 1e9
	// windowBytes is the size of replies that one client's requests under way should bring at most.
	windowBytes = 1 << 20
	// largeReply is the size from which a reply has the window start again, bytes.
	largeReply = 256 << 10
	// Least is how many requests a client with small replies may always have under way. One that does not read
	// gets no more: it may write a whole pipeline before it reads, so it must go on.
	Least = 16
	// Enough is the unread output from which a client with large replies gets none before it reads, bytes.
	Enough = 4 << 20
	// largeMean is the mean size from which Least replies bring more than windowBytes.
	largeMean = windowBytes / Least
	// most bounds what is learnt of a client.
	most = 1 << 30
)

// Pace is what the replies of one client say of its requests. The zero value is a client of which nothing is known. Loop-only.
//
// Invariant: 0 <= mean <= most; -most < grown <= most.
type Pace struct {
	mean    int32 // mean size of its latest replies, bytes
	grown   int32 // small replies since it came, or since the latest large one; below 0: after a reply that did not come in time
	replied int64 // when the latest reply ended, ns
}

// Replied is when the client's latest reply ended, ns; 0: it has had none.
func (p *Pace) Replied() int64 { return p.replied }

// Learn takes the size of one whole reply into the mean, in which the last eight weigh most. A large one begins a new start.
func (p *Pace) Learn(size int, now int64) {
	n := int32(min(size, most))
	p.mean += (n - p.mean) / 8
	p.replied = now
	if size < largeReply {
		p.grown = min(p.grown+1, most)
		return
	}
	p.grown, p.mean = 0, max(p.mean, n)
}

// BackOff takes notice of a reply that did not come in time: the server is still at work on the request. first is what ByNumber has got.
func (p *Pace) BackOff(first int) { p.grown = int32(1 - min(first, most)) }

// Rested has a client start again that owes nothing and has been silent for silent ns, if that is long.
func (p *Pace) Rested(silent int64) {
	if silent > rest {
		p.grown = min(p.grown, 0)
	}
}

// ByNumber is the most requests that the client may have under way. first is that of a client of which nothing is known, to which each small
// reply adds one; limit bounds it.
func (p *Pace) ByNumber(limit, first int) int { return min(limit, first+int(p.grown)) }

// ByBytes is n or, if the replies are large, as many requests as bring windowBytes; at least 1.
func (p *Pace) ByBytes(n int) int {
	if p.mean > largeMean {
		n = min(n, max(1, windowBytes/int(p.mean)))
	}
	return n
}

// NotReading is the most requests of a client with unread bytes of output; 0: none before it reads. coming is the size of the reply
// that is under way, since the first is large before it has ended. stuck: much of its input waits, so it may be unable to read before it
// has written.
func (p *Pace) NotReading(unread, coming int, stuck bool) int {
	large := max(int(p.mean), coming) > largeMean
	switch {
	case large && unread > Enough && !stuck:
		return 0
	case large:
		return 1
	}
	return Least
}
