package eventloop

// guard is deferred by everything that a loop does for many clients. Panics in work for one client are caught in
// session and pool. A panic that comes here may have left the shared state of the loop's clients half changed, so all
// of them are closed, and every connection to a server is made again.
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
