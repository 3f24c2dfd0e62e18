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
		crc = crc<<8 ^ xmodem[byte(crc>>8)^b]
	}
	return crc % Slots
}

// crc16 is twemproxy 0.5's: CRC-16/XMODEM in a register of 32 bits that is never cut to
// 16, so that what is shifted out stays in the upper half.
func crc16(key []byte) uint32 {
	var crc uint32
	for _, b := range key {
		crc = crc<<8 ^ uint32(xmodem[byte(crc>>8)^b])
	}
	return crc
}

// xmodem is the remainder of each byte divided by x^16 + x^12 + x^5 + 1, upper bit first.
var xmodem = makeXMODEM()

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
