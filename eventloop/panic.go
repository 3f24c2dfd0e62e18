package eventloop

// guard is deferred by whatever a loop does for many clients. What is done for one client is caught in session and pool; a panic that comes
// here left what all clients of the loop share half done, so they are closed, and every connection to a server is made again.
func (l *loop) guard() {
	cause := recover()
	if cause == nil {
		return
	}
	l.sessions.Panicked(cause)
	l.conns.Reset()
	l.armed = false
	l.arm()
}
