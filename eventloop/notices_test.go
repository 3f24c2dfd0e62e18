package eventloop

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"ringmaster/session"
)

// noticeLog has the lines that notices write, and the time.
type noticeLog struct {
	*notices
	out bytes.Buffer
	now time.Time
}

func newNoticeLog() *noticeLog {
	l := &noticeLog{now: time.Unix(1e9, 0)}
	l.notices = newNotices(slog.New(slog.NewTextHandler(&l.out, nil)))
	return l
}

// of returns the log line for one notice.
func (l *noticeLog) of(kind session.NoticeKind, client string) string {
	l.out.Reset()
	l.take(session.Notice{Kind: kind, Client: client, User: "joe"}, l.now)
	return l.out.String()
}

func TestNoticesOfAFloodAreOneLineAndANumber(t *testing.T) {
	for _, kind := range []session.NoticeKind{session.CrossProtocol, session.LoginFailed} {
		l := newNoticeLog()
		if line := l.of(kind, "10.0.0.1:1000"); !strings.Contains(line, "client=10.0.0.1:1000") || strings.Contains(line, "left_out") {
			t.Errorf("kind %d, the first: %q", kind, line)
		}
		for i := range 41 {
			if line := l.of(kind, fmt.Sprintf("10.0.0.1:%d", i)); line != "" {
				t.Fatalf("kind %d, another of the same address within the window: %q", kind, line)
			}
		}
		lines := 0
		for i := range 100 {
			if line := l.of(kind, fmt.Sprintf("10.0.1.%d:1000", i)); line != "" {
				lines++
			}
		}
		if lines != maxNamings-1 {
			t.Errorf("kind %d: %d lines about 100 other addresses within the window", kind, lines)
		}
		l.now = l.now.Add(noticeWindow)
		if line := l.of(kind, "10.0.0.1:1000"); !strings.Contains(line, "left_out=91") {
			t.Errorf("kind %d, after the window: %q", kind, line)
		}
		l.now = l.now.Add(noticeWindow)
		if line := l.of(kind, "10.0.0.2:1000"); line == "" || strings.Contains(line, "left_out") {
			t.Errorf("kind %d, after a quiet window: %q", kind, line)
		}
	}
}

func TestAddressesThatSpeakAnotherProtocolAreNamedOnce(t *testing.T) {
	for _, kind := range []session.NoticeKind{session.SpokeTLS, session.SpokeHTTP} {
		l := newNoticeLog()
		for port := range 3 {
			for _, host := range []string{"10.0.0.1", "[fd00::1]", "/run/r.sock"} {
				line := l.of(kind, fmt.Sprintf("%s:%d", host, 1000+port))
				if named := line != ""; named != (port == 0) {
					t.Errorf("kind %d, %s for the %d. time: %q", kind, host, port+1, line)
				}
			}
			l.now = l.now.Add(time.Hour)
		}
	}
}

func TestNamedAddressesAndTheirLinesAreBounded(t *testing.T) {
	l := newNoticeLog()
	lines := 0
	for i := range 20 * maxNamed {
		if i%100 == 0 {
			l.now = l.now.Add(noticeWindow)
		}
		if l.of(session.SpokeTLS, fmt.Sprintf("10.%d.%d.1:5", i/256, i%256)) != "" {
			lines++
		}
		if n := len(l.kinds[session.SpokeTLS].named); n > maxNamed {
			t.Fatalf("%d addresses are remembered", n)
		}
	}
	if most := 20 * maxNamed / 100 * maxNamings; lines == 0 || lines > most+maxNamings {
		t.Errorf("%d lines, want up to %d", lines, most)
	}
}

// TestALoopNeverWaitsForTheLog fills the queue while nothing is taken from it.
func TestALoopNeverWaitsForTheLog(t *testing.T) {
	n := newNotices(slog.New(slog.DiscardHandler))
	for range 2 * noticeQueue {
		n.put(session.Notice{})
	}
	if len(n.queue) != noticeQueue {
		t.Errorf("%d wait", len(n.queue))
	}
}
