package gather

import (
	"bytes"

	"ringmaster/session"
)

// tellBusy lets all loops know what servers say of scripts that hold up a connection of this one.
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

// BusyAnywhere is what a server has said of a script that holds up a connection of any loop; nil: nothing.
func BusyAnywhere(e *session.Env) []byte {
	for _, text := range e.BusyOn {
		return text
	}
	return nil
}
