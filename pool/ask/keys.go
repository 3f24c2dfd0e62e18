package ask

// Keys is what the sender of a request knows of its keys, so that none of a client is overtaken by a later one for the same: their hash
// slot, or their shard where there are no slots, and whether it changes nothing. The zero value: it has no keys, or nothing is known.
type Keys uint16

const onlyReads Keys = 1 << 15

// KeysIn are keys of a hash slot or a shard (below 0: there are none). reads: the request changes nothing. Any goroutine.
func KeysIn(slot int, reads bool) (k Keys) {
	if slot >= 0 {
		k = Keys(slot+1) &^ onlyReads
	}
	if reads {
		k |= onlyReads
	}
	return k
}

// Slot is the hash slot or the shard; below 0: it is not known.
func (k Keys) Slot() int { return int(k&^onlyReads) - 1 }

// Reads reports whether the request changes nothing.
func (k Keys) Reads() bool { return k&onlyReads != 0 }
