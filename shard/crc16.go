package shard

// Slots is the number of hash slots of a Redis Cluster.
const Slots = 16384

// Slot returns key's hash slot in a Redis Cluster, 0 <= slot < Slots: CRC-16/XMODEM of
// the part between the first { and the next }, or of all of key where that part is
// missing or empty (Redis Cluster specification, "Hash tags"). Any goroutine. Borrows key
// until return.
func Slot(key []byte) uint16 {
	var crc uint16
	for _, b := range slotTag.part(key) {
		crc = crc<<8 ^ xmodemTable[byte(crc>>8)^b]
	}
	return crc % Slots
}

// crc16ARC is twemproxy's crc16.
func crc16ARC(key []byte) uint32 {
	var crc uint16
	for _, b := range key {
		crc = crc>>8 ^ arcTable[byte(crc)^b]
	}
	return uint32(crc)
}

var (
	xmodemTable = makeXMODEM()
	arcTable    = makeARC()
)

// makeXMODEM divides by x^16 + x^12 + x^5 + 1, upper bit first.
func makeXMODEM() (table [256]uint16) {
	for i := range table {
		crc := uint16(i) << 8
		for range 8 {
			carry := crc >> 15
			crc = crc<<1 ^ carry*0x1021
		}
		table[i] = crc
	}
	return table
}

// makeARC divides by x^16 + x^15 + x^2 + 1, lower bit first.
func makeARC() (table [256]uint16) {
	for i := range table {
		crc := uint16(i)
		for range 8 {
			carry := crc & 1
			crc = crc>>1 ^ carry*0xa001
		}
		table[i] = crc
	}
	return table
}
