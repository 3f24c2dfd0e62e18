package gather

import (
	"bytes"
	"strings"

	"ringmaster/session"
)

// tellBusy tells all loops what a server replies while a script holds up a connection of this loop.
func tellBusy(e *session.Env) {
	text := e.Pool.BusyText()
	if bytes.Equal(text, e.BusyText) {
		return
	}
	e.BusyText = bytes.Clone(text)
	shared, from := e.BusyText, e.Number
	e.AskLoops(func(e *session.Env) any {
		if shared == nil {
			delete(e.BusyOn, from)
			e.Pool.SetBusy(len(e.BusyOn) > 0)
			return nil
		}
		if e.BusyOn == nil {
			e.BusyOn = map[int][]byte{}
		}
		e.BusyOn[from] = shared
		e.Pool.SetBusy(true)
		return nil
	}, func([]any) {})
}

// BusyText returns what a server has replied to a request because a script holds up a connection of any loop, such as "BUSY ...". ""
// means that no script does. Loop-only.
func BusyText(e *session.Env) string {
	for _, reply := range e.BusyOn {
		return strings.TrimRight(string(reply[1:]), "\r\n")
	}
	return ""
}
