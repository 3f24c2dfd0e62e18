package session

import "bytes"

// tellBusy lets all loops know what servers say of scripts that hold up a connection of this one.
func (e *Env) tellBusy() {
	text := e.Pool.BusyText()
	if bytes.Equal(text, e.busyText) {
		return
	}
	e.busyText = bytes.Clone(text)
	shared, from := e.busyText, e.Number
	e.askLoops(func(e *Env) any {
		if shared == nil {
			delete(e.busyOn, from)
			e.Pool.SetBusy(len(e.busyOn) > 0)
			return nil
		}
		if e.busyOn == nil {
			e.busyOn = map[int][]byte{}
		}
		e.busyOn[from] = shared
		e.Pool.SetBusy(true)
		return nil
	}, func([]any) {})
}

// busyAnywhere is what a server has said of a script that holds up a connection of any loop; nil: nothing.
func (e *Env) busyAnywhere() []byte {
	for _, text := range e.busyOn {
		return text
	}
	return nil
}
