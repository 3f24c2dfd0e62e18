package clients

import (
	"strconv"
	"strings"
	"time"

	"ringmaster/command"
	"ringmaster/parser"
	"ringmaster/session"
	"ringmaster/session/pubsub"
	"ringmaster/session/tracking"
	"ringmaster/session/transaction"
)

// Info is CLIENT INFO.
func Info(s *session.Session, _ *command.Spec, _ *parser.Request) {
	s.Door.Scratch = parser.AppendVerbatim(s.Door.Scratch[:0], int(s.Protocol), appendDescription(s, nil, s.Door.ServerIs(7, 4)))
	s.Answer(s.Door.Scratch)
}

// describeWork is the work of a line besides its bytes; units.
const describeWork = 512

// appendDescription appends the client's line in CLIENT INFO and CLIENT LIST: the fields of Redis 7.2 that a proxy can
// fill, and with watch that of Redis 7.4. CLIENT LIST calls it for each client, so it does not use fmt.
func appendDescription(s *session.Session, b []byte, watch bool) []byte {
	start := len(b)
	remote, local := s.Socket.Addr()
	id := s.Identity
	if id == nil {
		id = &session.Identity{}
	}
	sub, psub, ssub := pubsub.SubscriptionCounts(s)
	multi := transaction.Queued(s)
	redir := int64(-1)
	if tracking.IsOn(s) {
		redir = int64(tracking.StateOf(s.Pin).TargetID())
	}
	kept, waits := 0, s.Socket.Buffered()+s.Out.Held
	if s == s.Door.Asking {
		kept = s.Door.Req.Size
	}
	if !s.Input.Empty() {
		kept += len(s.Input.Waiting())
	}
	b = strconv.AppendUint(append(b, "id="...), s.ID(), 10)
	b = append(append(b, " addr="...), remote...)
	b = append(append(b, " laddr="...), local...)
	b = append(append(b, " fd=-1 name="...), id.Name...)
	b = appendField(b, " age=", age(s.Door.Env, s.OpenedAt))
	b = appendField(b, " idle=", age(s.Door.Env, s.ActiveAt))
	b = appendFlags(s, append(b, " flags="...))
	b = appendField(b, " db=", int64(s.Database()))
	b = appendField(b, " sub=", int64(sub))
	b = appendField(b, " psub=", int64(psub))
	b = appendField(b, " ssub=", int64(ssub))
	b = appendField(b, " multi=", int64(multi))
	switch {
	case !watch:
	case s.Pin != nil && s.Pin.Watches:
		b = append(b, " watch=1"...) // the proxy does not count the watched keys
	default:
		b = append(b, " watch=0"...)
	}
	b = appendField(b, " qbuf=", int64(kept))
	b = append(b, " qbuf-free=0 argv-mem=0 multi-mem=0 rbs=0 rbp=0 obl=0 oll=0"...)
	b = appendField(b, " omem=", int64(waits))
	b = appendField(b, " tot-mem=", int64(kept+waits))
	b = append(append(b, " events=r cmd="...), command.Shown(s.LastID)...)
	b = appendField(b, " user=default redir=", redir)
	b = appendField(b, " resp=", int64(s.Protocol))
	b = append(append(b, " lib-name="...), id.LibName...)
	b = append(append(b, " lib-ver="...), id.LibVersion...)
	b = append(b, '\n')
	s.Door.Spend(describeWork + len(b) - start)
	return b
}

func appendField(b []byte, name string, n int64) []byte {
	return strconv.AppendInt(append(b, name...), n, 10)
}

// appendFlags appends the letters of CLIENT LIST in Redis's order (networking.c, catClientInfoString). The letter d is
// missing, because only the server knows that a watched key has changed.
func appendFlags(s *session.Session, b []byte) []byte {
	start := len(b)
	flag := func(c byte, on bool) {
		if on {
			b = append(b, c)
		}
	}
	if p := s.Pin; p != nil {
		flag('O', monitors(p))
		flag('S', p.Tunnel)
	}
	flag('P', s.Subscriptions != nil)
	flag('x', s.Transaction != nil)
	flag('b', blocked(s))
	if t := tracking.StateOf(s.Pin); t != nil {
		flag('t', t.On)
		flag('R', t.On && t.BrokenRedirect)
		flag('B', t.On && t.Broadcast)
	}
	flag('c', s.State == session.Closing)
	flag('U', overUnixSocket(s))
	if p := s.Pin; p != nil {
		flag('e', p.NoEvict)
		flag('T', p.NoTouch)
	}
	if len(b) == start {
		return append(b, 'N')
	}
	return b
}

// blocked reports whether the client waits in a blocking command, or for the end of CLIENT PAUSE.
func blocked(s *session.Session) bool {
	return s.Pin != nil && s.Pin.Blocks || s.SitsOutPause()
}

// overUnixSocket reports whether the client uses a unix socket, whose path takes the place of an address.
func overUnixSocket(s *session.Session) bool {
	_, local := s.Socket.Addr()
	return strings.HasSuffix(local, ":0")
}

// monitors reports whether the session gets the lines of MONITOR.
func monitors(p *session.Pin) bool { return p.Conn != nil && p.Conn.Streams() }

// age is a time in whole seconds.
func age(e *session.Env, since int64) int64 { return (e.Pool.Now - since) / int64(time.Second) }
