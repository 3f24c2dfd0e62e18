package stats

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func errorsOf(l *Loop, id uint16) map[string]uint64 {
	got := map[string]uint64{}
	l.eachError(id, func(code string, n uint64) { got[code] += n })
	return got
}

func TestErrorIsCountedByItsFirstWord(t *testing.T) {
	for reply, code := range map[string]string{
		"-WRONGTYPE Operation against a key":   "WRONGTYPE",
		"-ERR unknown command":                 "ERR",
		"-NOAUTH\r\n":                          "NOAUTH",
		"-OOM":                                 "OOM",
		"-CODE_2-X rest":                       "CODE_2-X",
		"!21\r\nSYNTAX invalid syntax\r\n":     "SYNTAX",
		"!21":                                  "other",
		"-My own error":                        "other",
		"-":                                    "other",
		"":                                     "other",
		"- ERR":                                "other",
		"-2FAST":                               "other",
		"-A\x00B":                              "other",
		"-" + strings.Repeat("A", MaxCodeLen):  strings.Repeat("A", MaxCodeLen),
		"-" + strings.Repeat("A", 1<<16) + " ": "other",
	} {
		l := NewLoop(1)
		l.Error(0, []byte(reply))
		if diff := cmp.Diff(map[string]uint64{code: 1}, errorsOf(l, 0)); diff != "" {
			t.Errorf("%.40q: %s", reply, diff)
		}
	}
}

func TestInventedErrorCodesAreBounded(t *testing.T) {
	l := NewLoop(1)
	for i := range 1000 {
		l.Error(0, fmt.Appendf(nil, "-CODE%d x", i))
	}
	got := errorsOf(l, 0)
	if len(got) != MaxCodes || got[OtherCode] != 1000-(MaxCodes-1) {
		t.Errorf("%d codes, %d under other", len(got), got[OtherCode])
	}
}

func TestIDsOutOfRangeAreIgnored(t *testing.T) {
	l := NewLoop(2)
	l.Call(2, 1)
	l.Error(65535, []byte("-ERR x"))
	for id := range uint16(2) {
		if l.Command(id) != nil {
			t.Errorf("command %d was counted", id)
		}
	}
}

func TestSteadyStateDoesNotAllocate(t *testing.T) {
	l, dst := NewLoop(10), new(Loop)
	l.AddUpstream("", 3)
	reply := []byte("-ERR no\r\n")
	l.Call(3, 5000)
	l.Error(3, reply)
	l.CopyTo(dst)
	if n := testing.AllocsPerRun(100, func() { l.Call(3, 5000); l.Error(3, reply) }); n != 0 {
		t.Errorf("Call and Error: %g allocations", n)
	}
	if n := testing.AllocsPerRun(100, func() { l.CopyTo(dst) }); n != 0 {
		t.Errorf("CopyTo: %g allocations", n)
	}
}

func TestCopyIsDeepAndReplacesWhatWasThere(t *testing.T) {
	l := NewLoop(3)
	servers := l.AddUpstream("a", 2).Servers
	l.ClientsOpened = 7
	l.ClientsClosed[Quit] = 2
	servers[1].InFlight = 4
	l.Call(1, 2000)
	l.Error(1, []byte("-ERR x"))

	dst := NewLoop(9) // another loop's copy, larger and in use
	dst.AddUpstream("b", 5)
	dst.AddUpstream("c", 1)
	dst.Call(8, 1)
	dst.Error(2, []byte("-OLD x"))
	l.CopyTo(dst)
	l.ClientsClosed[Quit]++
	servers[1].InFlight++
	l.Call(1, 2000)
	l.Error(1, []byte("-ERR x"))
	l.Error(1, []byte("-NEW x"))

	if dst.ClientsOpened != 7 || dst.ClientsClosed[Quit] != 2 || len(dst.Upstreams) != 1 ||
		dst.Upstreams[0].Name != "a" || len(dst.Upstreams[0].Servers) != 2 || dst.Upstreams[0].Servers[1].InFlight != 4 {
		t.Errorf("fields: %+v", dst)
	}
	if got := dst.Command(1).Latency.Count(); got != 1 {
		t.Errorf("calls: %d", got)
	}
	if diff := cmp.Diff(map[string]uint64{"ERR": 1}, errorsOf(dst, 1)); diff != "" {
		t.Error(diff)
	}
	if dst.Command(2) != nil || dst.Command(8) != nil {
		t.Error("the earlier content is still there")
	}
}

// TestACopyFollowsUpstreamsThatComeAndGo: a copy of an upstream never has the counters of another one.
func TestACopyFollowsUpstreamsThatComeAndGo(t *testing.T) {
	l, dst := NewLoop(0), new(Loop)
	a, b := l.AddUpstream("a", 2), l.AddUpstream("b", 1)
	a.Servers[0].Requests, b.Servers[0].Requests = 1, 2
	l.CopyTo(dst)
	ofA, ofB := dst.Upstreams[0], dst.Upstreams[1]
	l.RemoveUpstream(a)
	c := l.AddUpstream("a", 1)
	c.Servers[0].Requests = 3
	b.AddServer()
	b.Servers[1].Requests = 4
	l.CopyTo(dst)
	if len(dst.Upstreams) != 2 || dst.Upstreams[0] != ofB || dst.Upstreams[1] == ofA {
		t.Errorf("%v, of which %p was of the one that stays, %p of the one that is gone", dst.Upstreams, ofB, ofA)
	}
	if ofB.Name != "b" || len(ofB.Servers) != 2 || ofB.Servers[0].Requests != 2 || ofB.Servers[1].Requests != 4 || ofA.Servers[0].Requests != 1 {
		t.Errorf("b: %+v, a as it was: %+v", ofB, ofA)
	}
	if n := dst.Upstreams[1].Servers[0].Requests; n != 3 || dst.Upstreams[1].Name != "a" {
		t.Errorf("the new one: %d requests", n)
	}
	l.RemoveUpstream(b)
	l.RemoveUpstream(a) // again
	l.RemoveUpstream(c)
	if l.CopyTo(dst); len(dst.Upstreams) != 0 || len(l.Upstreams) != 0 {
		t.Errorf("left: %v", dst.Upstreams)
	}
}

func TestEveryReasonAndStateHasAName(t *testing.T) {
	seen := map[string]bool{}
	check := func(kind, name string) {
		if name == "" || name == "unknown" || seen[kind+name] {
			t.Errorf("%s: %q", kind, name)
		}
		seen[kind+name] = true
	}
	for r := range CloseReasons {
		check("close", CloseReason(r).String())
	}
	for r := range DisconnectReasons {
		check("disconnect", DisconnectReason(r).String())
	}
	for _, s := range []ServerState{ServerDown, ServerConnecting, ServerUp} {
		check("state", s.String())
	}
	if CloseReason(200).String() != "unknown" || DisconnectReason(200).String() != "unknown" || ServerState(200).String() != "unknown" {
		t.Error("a value out of range has a name")
	}
}
