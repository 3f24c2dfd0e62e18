package texts

import "strings"

// MaxShownUser bounds how much of a user name that a client gave is shown, bytes.
const MaxShownUser = 64

// ShownUser is b with a ? for each byte that is not printable ASCII, cut at MaxShownUser.
func ShownUser(b []byte) string {
	var text strings.Builder
	for _, c := range b[:min(len(b), MaxShownUser)] {
		if c < ' ' || c > '~' {
			c = '?'
		}
		text.WriteByte(c)
	}
	if len(b) > MaxShownUser {
		text.WriteString("...")
	}
	return text.String()
}
