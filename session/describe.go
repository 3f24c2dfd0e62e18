package session

import (
	"strconv"
	"strings"

	"ringmaster/command"
	"ringmaster/parser"
)

func (s *Session) clientInfo(*command.Spec, *parser.Request) {
	s.env.scratch = parser.AppendVerbatim(s.env.scratch[:0], int(s.proto), s.appendDescription(nil, s.env.serverIs(7, 4)))
	s.answer(s.env.scratch)
}

// describeWork is what a line costs beside its bytes, units.
const describeWork = 512

// appendDescription appends the client's line in CLIENT INFO and CLIENT LIST, with the fields of Redis 7.2 that a proxy can fill,
// and that of Redis 7.4 where watch is set. CLIENT LIST has one for each client, so it is made without fmt.
func (s *Session) appendDescription(b []byte, watch bool) []byte {
	start := len(b)
	remote, local := s.sock.Addr()
	id := s.ident
	if id == nil {
		id = &identity{}
	}
	sub, psub, ssub, multi := 0, 0, 0, -1
	if u := subsOf(s); u != nil {
		sub, psub, ssub = len(u.topics[channel]), len(u.topics[pattern]), len(u.topics[shardChannel])
	}
	if tx := txOf(s); tx != nil {
		multi = tx.n + len(tx.locals)
	}
	redir := int64(-1)
	if s.tracks() {
		redir = 0
		if r := trackingOf(s.pin).redirect; r != nil {
			redir = int64(r.to)
		}
	}
	kept, waits := 0, s.sock.Buffered()+s.held
	if s == s.env.asking {
		kept = s.env.req.Size
	}
	if s.in != nil {
		kept += len(s.in.B) - s.off
	}
	b = strconv.AppendUint(append(b, "id="...), s.ID(), 10)
	b = append(append(b, " addr="...), remote...)
	b = append(append(b, " laddr="...), local...)
	b = append(append(b, " fd=-1 name="...), id.name...)
	b = appendField(b, " age=", s.env.age(s.opened))
	b = appendField(b, " idle=", s.env.age(s.active))
	b = s.appendFlags(append(b, " flags="...))
	b = appendField(b, " db=", int64(s.db()))
	b = appendField(b, " sub=", int64(sub))
	b = appendField(b, " psub=", int64(psub))
	b = appendField(b, " ssub=", int64(ssub))
	b = appendField(b, " multi=", int64(multi))
	switch {
	case !watch:
	case s.pin != nil && s.pin.watches:
		b = append(b, " watch=1"...) // of how many keys are watched the proxy keeps no count
	default:
		b = append(b, " watch=0"...)
	}
	b = appendField(b, " qbuf=", int64(kept))
	b = append(b, " qbuf-free=0 argv-mem=0 multi-mem=0 rbs=0 rbp=0 obl=0 oll=0"...)
	b = appendField(b, " omem=", int64(waits))
	b = appendField(b, " tot-mem=", int64(kept+waits))
	b = append(append(b, " events=r cmd="...), s.lastCommand()...)
	b = appendField(b, " user=default redir=", redir)
	b = appendField(b, " resp=", int64(s.proto))
	b = append(append(b, " lib-name="...), id.libName...)
	b = append(append(b, " lib-ver="...), id.libVersion...)
	b = append(b, '\n')
	s.env.spend(describeWork + len(b) - start)
	return b
}

func appendField(b []byte, name string, n int64) []byte {
	return strconv.AppendInt(append(b, name...), n, 10)
}

// appendFlags appends the letters of CLIENT LIST in Redis's order (networking.c, catClientInfoString), but for d: that a watched
// key has changed only the server knows.
func (s *Session) appendFlags(b []byte) []byte {
	start := len(b)
	flag := func(c byte, on bool) {
		if on {
			b = append(b, c)
		}
	}
	if p := s.pin; p != nil {
		flag('O', p.monitors())
		flag('S', p.tunnel)
	}
	flag('P', s.subs != nil)
	flag('x', s.tx != nil)
	flag('b', s.blocked())
	if t := trackingOf(s.pin); t != nil {
		flag('t', t.on)
		flag('R', t.on && t.brokenRedirect)
		flag('B', t.on && t.broadcast)
	}
	flag('c', s.state == closing)
	flag('U', s.overUnixSocket())
	if p := s.pin; p != nil {
		flag('e', p.noEvict)
		flag('T', p.noTouch)
	}
	if len(b) == start {
		return append(b, 'N')
	}
	return b
}

// blocked reports whether the client waits in a blocking command, or for the end of CLIENT PAUSE.
func (s *Session) blocked() bool {
	if s.pin != nil && s.pin.blocks {
		return true
	}
	_, paused := s.passage.(pausedAll)
	return paused
}

// overUnixSocket reports whether it came over a unix socket, whose path stands for an address.
func (s *Session) overUnixSocket() bool {
	_, local := s.sock.Addr()
	return strings.HasSuffix(local, ":0")
}

// monitors reports whether the session gets what MONITOR tells.
func (p *pin) monitors() bool { return p.conn != nil && p.conn.Streams() }
