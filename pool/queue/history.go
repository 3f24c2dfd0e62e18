package queue

// History keeps the bytes of requests until they are answered, so that they can be sent again to where a server says that
// their keys are. Requests are answered in the order sent, so it is a queue of bytes.
//
// Invariant: buf[head:] is what the pending requests with a size were sent as.
type History struct {
	buf  []byte
	head int
}

// MaxHistory is the most memory that an empty history keeps, bytes.
const MaxHistory = 256 << 10

// Add keeps the bytes of one more request. Borrows raw until return.
func (h *History) Add(raw []byte) { h.buf = append(h.buf, raw...) }

// First gives the oldest n bytes. Valid until the next call that changes h.
func (h *History) First(n uint32) []byte { return h.buf[h.head : h.head+int(n)] }

// All gives all bytes. Valid until the next call that changes h.
func (h *History) All() []byte { return h.buf[h.head:] }

// Take gives the oldest n bytes, and forgets them. They stay as they are.
func (h *History) Take(n uint32) []byte {
	b := h.First(n)
	h.head += int(n)
	return b
}

// Release forgets the oldest n bytes.
func (h *History) Release(n uint32) {
	h.head += int(n)
	switch {
	case h.head == len(h.buf):
		if h.head = 0; cap(h.buf) > MaxHistory {
			h.buf = nil
		}
		h.buf = h.buf[:0]
	case h.head > MaxHistory && h.head > len(h.buf)/2:
		h.buf = h.buf[:copy(h.buf, h.buf[h.head:])]
		h.head = 0
	}
}
