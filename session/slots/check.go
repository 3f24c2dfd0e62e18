package slots

import "fmt"

// Check says which invariant of the ring is broken, and how many bytes its buffers hold. It is for tests.
func Check(r *Ring) (held int, err error) {
	if r.tail < r.head || r.Owed() > len(r.slots) {
		return 0, fmt.Errorf("owes %d replies and has %d slots", r.Owed(), len(r.slots))
	}
	size, kept, used := 0, 0, 0
	for tag := r.head; tag != r.tail; tag++ {
		s := r.At(tag)
		size += int(s.Size)
		if s.Buf != nil {
			used++
			held += len(s.Buf.B)
		}
	}
	for i := range r.slots {
		if r.slots[i].Buf != nil {
			kept++
		}
	}
	switch {
	case kept != used:
		return held, fmt.Errorf("a slot that is not in use has a buffer")
	case size != r.bytes:
		return held, fmt.Errorf("%d bytes of requests are counted, the slots say %d", r.bytes, size)
	case r.Partial && r.Owed() == 0:
		return held, fmt.Errorf("a part of nobody's reply has been written")
	}
	return held, nil
}

// Empty reports whether the ring holds no memory. It is for tests.
func Empty(r *Ring) bool { return r.slots == nil }
