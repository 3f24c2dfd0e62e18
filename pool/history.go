package pool

// history keeps the bytes of requests until they are answered, so that they can be sent again to where a server says that
// their keys are. Requests are answered in the order sent, so it is a queue of bytes.
//
// Invariant: buf[head:] is what the pending requests with a size were sent as.
type history struct {
	buf  []byte
	head int
}

// maxHistory is the most memory that an empty history keeps, bytes.
const maxHistory = 256 << 10

func (h *history) add(raw []byte) { h.buf = append(h.buf, raw...) }

// first gives the oldest n bytes. Valid until the next call that changes h.
func (h *history) first(n uint32) []byte { return h.buf[h.head : h.head+int(n)] }

// all gives all bytes. Valid until the next call that changes h.
func (h *history) all() []byte { return h.buf[h.head:] }

// take gives the oldest n bytes, and forgets them. They stay as they are.
func (h *history) take(n uint32) []byte {
	b := h.first(n)
	h.head += int(n)
	return b
}

// release forgets the oldest n bytes.
func (h *history) release(n uint32) {
	h.head += int(n)
	switch {
	case h.head == len(h.buf):
		if h.head = 0; cap(h.buf) > maxHistory {
			h.buf = nil
		}
		h.buf = h.buf[:0]
	case h.head > maxHistory && h.head > len(h.buf)/2:
		h.buf = h.buf[:copy(h.buf, h.buf[h.head:])]
		h.head = 0
	}
}
