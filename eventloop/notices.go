package eventloop

import (
	"log/slog"
	"net"
	"time"

	"ringmaster/session"
)

const (
	// noticeQueue bounds the notices that wait to be logged. Further ones are only counted.
	noticeQueue = 256
	// noticeWindow is the time in which a kind gets at most maxNamings lines, each for another address.
	noticeWindow = 10 * time.Second
	maxNamings   = 10
	// maxNamed bounds, for each kind, the remembered addresses that the log has named. When there are more, all are
	// forgotten.
	maxNamed = 1024
)

// notices logs what the loops notice about clients. The loops never wait for it. An address is named once in a
// window, or only once ever if it speaks another protocol. A line says how many notices of its kind were left out
// since the previous line.
type notices struct {
	queue chan session.Notice
	log   *slog.Logger
	kinds [session.NoticeKinds]noticed
}

// noticed records what was logged for one kind.
type noticed struct {
	since   time.Time           // when the window began
	lines   int                 // in the window
	leftOut int                 // notices left out since the latest line
	named   map[string]struct{} // addresses, without ports
}

func newNotices(log *slog.Logger) *notices {
	return &notices{queue: make(chan session.Notice, noticeQueue), log: log}
}

// put takes a notice from a loop. Any goroutine.
func (n *notices) put(what session.Notice) {
	select {
	case n.queue <- what:
	default: // a flood; the counters show how large it is
	}
}

// run logs notices until done is closed. It runs on a goroutine of its own.
func (n *notices) run(done <-chan struct{}) {
	for {
		select {
		case what := <-n.queue:
			n.take(what, time.Now())
		case <-done:
			return
		}
	}
}

// take logs one notice, or counts it as left out.
func (n *notices) take(what session.Notice, now time.Time) {
	k := &n.kinds[what.Kind]
	once := what.Kind == session.SpokeTLS || what.Kind == session.SpokeHTTP
	if k.lines == 0 || now.Sub(k.since) >= noticeWindow {
		k.since, k.lines = now, 0
		if !once {
			clear(k.named)
		}
	}
	host := hostOf(what.Client)
	_, known := k.named[host]
	if known && once {
		return
	}
	if known || k.lines >= maxNamings {
		k.leftOut++
		return
	}
	k.name(host)
	attrs := []any{slog.String("client", what.Client)}
	if what.Kind == session.LoginFailed {
		attrs = append(attrs, slog.String("user", what.User))
	}
	if k.leftOut > 0 {
		attrs = append(attrs, slog.Int("left_out", k.leftOut))
	}
	k.lines, k.leftOut = k.lines+1, 0
	n.log.Warn(noticeTexts[what.Kind], attrs...)
}

// name remembers that the log has named an address.
func (k *noticed) name(host string) {
	if len(k.named) >= maxNamed {
		clear(k.named)
	}
	if k.named == nil {
		k.named = map[string]struct{}{}
	}
	k.named[host] = struct{}{}
}

// hostOf returns an address without its port.
func hostOf(addr string) string {
	if host, _, err := net.SplitHostPort(addr); err == nil {
		return host
	}
	return addr
}

var noticeTexts = [session.NoticeKinds]string{
	session.CrossProtocol: "possible cross-protocol attack: a client sent POST or Host:, words of HTTP, and was closed; if a page in a browser or a " +
		"server can be made to send requests to this port, set a password with --password-file",
	session.SpokeTLS:    "a client speaks TLS, which this port does not; connect without TLS (redis:// instead of rediss://), or give --tls-cert-file: docs/tls.md",
	session.SpokeHTTP:   "a client speaks HTTP, which this port does not; metrics and health are on the address that --admin gives",
	session.LoginFailed: "a client gave a wrong user name or password",
}
