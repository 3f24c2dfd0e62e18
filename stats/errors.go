package stats

import "bytes"

const (
	// MaxCodes bounds the distinct error codes of a loop, "other" included. Redis
	// has about 35; a script can invent any number.
	MaxCodes = 96
	// MaxCodeLen bounds an error code in bytes.
	MaxCodeLen = 24
	// OtherCode counts the errors whose first word is no code, or a new code when there are too many.
	OtherCode = "other"
)

// Error counts an error reply by command and by code. reply is the reply from its type
// byte on ("-WRONGTYPE Operation ..." or a RESP3 bulk error); its code is the first word, if
// that looks like one: upper-case letters, digits, '_' and '-'. It allocates on the first sight
// of a code. Borrows reply until return. Loop-only.
func (l *Loop) Error(id uint16, reply []byte) {
	c := l.command(id)
	if c == nil {
		return
	}
	i := int(l.code(errorCode(reply)))
	for len(c.errors) <= i {
		c.errors = append(c.errors, 0)
	}
	c.errors[i]++
}

// code returns the index of an error code in l.codes, and enters a new code if there is room.
func (l *Loop) code(word []byte) uint8 {
	if i, ok := l.codeOf[string(word)]; ok {
		return i
	}
	if len(word) == 0 || len(l.codes) >= MaxCodes {
		return 0
	}
	i := uint8(len(l.codes))
	l.codes = append(l.codes, string(word))
	l.codeOf[l.codes[i]] = i
	return i
}

func (l *Loop) resetCodes() {
	l.codes = []string{OtherCode}
	l.codeOf = make(map[string]uint8)
}

// errorCode returns the code of an error reply, or nil if it has none. Borrows reply.
func errorCode(reply []byte) []byte {
	if len(reply) == 0 {
		return nil
	}
	text := reply[1:]
	if reply[0] == '!' { // RESP3 bulk error: the text stands on the second line
		nl := bytes.IndexByte(reply, '\n')
		if nl < 0 {
			return nil
		}
		text = reply[nl+1:]
	}
	for i, b := range text {
		switch {
		case b == ' ' || b == '\r' || b == '\n':
			return text[:i]
		case i >= MaxCodeLen || !codeByte(b, i):
			return nil
		}
	}
	return text
}

func codeByte(b byte, at int) bool {
	if 'A' <= b && b <= 'Z' {
		return true
	}
	return at > 0 && ('0' <= b && b <= '9' || b == '_' || b == '-')
}
