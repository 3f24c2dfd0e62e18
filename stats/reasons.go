package stats

// CloseReason says why a client's connection ended. Every close has one.
type CloseReason uint8

// The reasons for closing a client.
const (
	ClientClosed     CloseReason = iota // the client closed or reset its connection
	Quit                                // QUIT was answered
	ProtocolError                       // its bytes were not RESP
	OutputLimit                         // its unread messages were over their limit
	QueryBufferLimit                    // one request or its backlog exceeded query-buffer-limit
	UpstreamLost                        // its server was lost in the middle of a forwarded reply
	WriteFailed                         // writing to it failed
	StateLost                           // its dedicated connection to the server was lost, and with it its state
	SubscriptionLost                    // the connection for its subscriptions was lost
	Killed                              // by CLIENT KILL
	Idle                                // it was idle for idle-timeout
	CrossProtocol                       // it sent POST or Host:, which are words of HTTP
	NotReading                          // it was over client-output-limit or client-memory and read nothing for client-read-timeout
	ClientMemory                        // all clients were far over client-memory, it had the most unread and did not read
	Shutdown                            // the proxy is stopping
	ListenerClosed                      // its listener was closed, or has got another upstream
	TLSError                            // its bytes were no good TLS records
	Panic                               // a bug of ringmaster in the work for it
	CloseReasons     = int(iota)        // how many there are
)

var closeReasons = [CloseReasons]string{
	"client_closed", "quit", "protocol_error", "output_limit", "query_buffer_limit",
	"upstream_lost_mid_reply", "write_failed", "server_state_lost", "subscription_lost", "killed", "idle",
	"cross_protocol", "not_reading", "client_memory", "shutdown", "listener_closed", "tls_error", "panic",
}

// String returns the reason as logs and the label "reason" show it. Any goroutine.
func (r CloseReason) String() string {
	if int(r) < len(closeReasons) {
		return closeReasons[r]
	}
	return "unknown"
}

// TLSResult is how a TLS handshake with a client ended.
type TLSResult uint8

// The results of handshakes.
const (
	TLSOK          TLSResult   = iota // the client is served
	TLSPlain                          // the client does not speak TLS
	TLSTimeout                        // it was not over in handshake-timeout
	TLSClosed                         // the client closed or reset its connection
	TLSRefused                        // the client sent an alert, such as that it does not trust the certificate
	TLSCertificate                    // the client has no certificate, or none that is accepted
	TLSProtocol                       // no version or cipher in common, or no good TLS
	TLSCrowded                        // the client was silent while others needed its place: max-handshakes
	TLSStopped                        // the proxy stopped
	TLSPanic                          // a bug
	TLSResults     = int(iota)        // how many there are
)

// String returns the result as the label "result" shows it. Any goroutine.
func (r TLSResult) String() string {
	return [TLSResults]string{
		"ok", "plain", "timeout", "closed", "refused", "certificate", "protocol", "crowded", "stopped", "panic",
	}[r]
}

// DisconnectReason says why a connection to a server ended.
type DisconnectReason uint8

// The reasons for losing or giving up a connection that had been made.
const (
	ServerClosed        DisconnectReason = iota // the server closed or reset it
	ServerProtocolError                         // its bytes were not RESP, or a reply without a request
	ServerUnreachable                           // its system does not acknowledge the bytes sent
	ServerStalled                               // it owed replies and was silent for stall-timeout
	HandshakeRefused                            // it refused HELLO, AUTH or SELECT
	HandshakeTimeout                            // it did not finish the handshake in dial-timeout
	ServerWriteFailed                           // writing to it failed
	ServerNotPrimary                            // it refused a write as a replica, so its name may lead elsewhere by now
	ServerOtherLogin                            // it was logged in as a user that is no longer in the settings
	ServerPanic                                 // a bug of ringmaster may have put it out of step
	ServerDropped                               // given up by the proxy: stopping, or the map changed
	ServerOutOfStep                             // after a script or a module's command its replies could not be told apart
	DisconnectReasons   = int(iota)             // how many there are
)

var disconnectReasons = [DisconnectReasons]string{
	"server_closed", "protocol_error", "unreachable", "stalled", "handshake_refused", "handshake_timeout",
	"write_failed", "not_primary", "other_login", "panic", "dropped", "out_of_step",
}

// String returns the reason as logs and the label "reason" show it. Any goroutine.
func (r DisconnectReason) String() string {
	if int(r) < len(disconnectReasons) {
		return disconnectReasons[r]
	}
	return "unknown"
}

// ServerState is the state of one server on one loop.
type ServerState uint8

// The states of a server, worst first. Over several loops the lowest counts.
const (
	ServerDown       ServerState = iota // no connection; requests fail at once
	ServerConnecting                    // dialling or in the handshake, not failed so far
	ServerUp                            // at least one connection is ready
	ServerGone                          // no longer a part of the topology
)

// MaxHops bounds how often in a row one request is redirected without a pause.
const MaxHops = 16

// Redirect is why a request was sent again.
type Redirect uint8

// The reasons.
const (
	RedirectMoved   Redirect    = iota // its slot is at another node
	RedirectAsk                        // its key is being moved to another node
	RedirectRetry                      // the node can't answer now
	RedirectUnknown                    // its key is at a node that is not known yet
	RedirectRead                       // it only reads, and its server was lost, or may get no reads
	RedirectReasons = int(iota)        // how many there are
)

// String is "moved", "ask", "retry", "unknown" or "read". Any goroutine.
func (r Redirect) String() string {
	return [RedirectReasons]string{"moved", "ask", "retry", "unknown", "read"}[r]
}

// String is "down", "connecting" or "up". Any goroutine.
func (s ServerState) String() string {
	switch s {
	case ServerDown:
		return "down"
	case ServerConnecting:
		return "connecting"
	case ServerUp:
		return "up"
	case ServerGone:
		return "gone"
	}
	return "unknown"
}
