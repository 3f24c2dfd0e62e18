package e2e

import (
	"fmt"
	"strings"
	"testing"

	"ringmaster/internal/testkit"
)

// sameStory plays a story on a plain Redis and through the proxy; what each client hears must be the same, message by
// message. A line is "a SET x 1", a command of client a, "@b" standing for client b's ID; or "a hears 2", which awaits
// messages that nobody can say the time of. After each command a PING tells where its replies end.
func sameStory(t *testing.T, p *pair, story string) {
	t.Helper()
	direct, proxied := playStory(t, p.direct.Addr, story), playStory(t, p.proxy, story)
	for who, want := range direct {
		if proxied[who] != want {
			t.Errorf("client %s\ndirect: %q\nproxy:  %q", who, want, proxied[who])
		}
	}
}

func playStory(t *testing.T, addr, story string) (heard map[string]string) {
	t.Helper()
	clients := map[string]*testkit.Conn{}
	var ids, names []string
	for _, name := range []string{"a", "b", "c"} {
		c := testkit.Dial(t, addr)
		clients[name] = c
		id := c.Do("CLIENT", "ID")
		ids = append(ids, "@"+name, strings.Trim(id, ":\r\n"))
		names = append(names, id, ":@"+name+"\r\n")
	}
	toNames := strings.NewReplacer(names...)
	heard = map[string]string{}
	multi := map[string]bool{}
	for i, line := range strings.Split(strings.TrimSpace(story), "\n") {
		words := strings.Fields(strings.NewReplacer(ids...).Replace(line))
		who, c := words[0], clients[words[0]]
		next := func() string {
			reply, err := c.Next()
			if err != nil {
				t.Fatalf("%s, line %d %q: %v after %q", who, i+1, line, err, heard[who])
			}
			return string(reply)
		}
		if words[1] == "hears" {
			var n int
			_, _ = fmt.Sscan(words[2], &n)
			for range n {
				heard[who] += next()
			}
			continue
		}
		if words[1] == "HELLO" {
			c.Do(words[1:]...)
			continue
		}
		if multi[who] = words[1] == "MULTI" || multi[who] && words[1] != "EXEC"; multi[who] || strings.Contains(line, "CACHING") {
			// A PING would be queued, or would be what CACHING is about.
			c.Send(testkit.Request(words[1:]...))
			heard[who] += next()
			continue
		}
		mark := fmt.Sprint("line ", i)
		c.Send(testkit.Request(words[1:]...) + testkit.Request("PING", mark))
		for reply := next(); !strings.Contains(reply, mark); reply = next() {
			if strings.Contains(line, "GETREDIR") || strings.Contains(line, "TRACKINGINFO") {
				reply = toNames.Replace(reply) // IDs differ between the two
			}
			heard[who] += reply
		}
	}
	return heard
}

func TestPubSubEqualsADirectRedis(t *testing.T) {
	sameStory(t, newPair(t), `
a SUBSCRIBE one two one
b HELLO 3
b PSUBSCRIBE t* [o-p]ne
b SUBSCRIBE two
c PUBLISH one 1
c PUBLISH two 2
c PUBLISH three 3
c PUBLISH nobody 4
c PUBSUB NUMSUB one two three
c PUBSUB NUMPAT
a PING
a GET x
b GET x
b UNSUBSCRIBE
b SSUBSCRIBE shard
c SPUBLISH shard 5
c PUBSUB SHARDNUMSUB shard
c PUBSUB SHARDCHANNELS
b SUNSUBSCRIBE shard none
b PUNSUBSCRIBE t*
c PUBLISH two 6
a UNSUBSCRIBE one
a UNSUBSCRIBE none
a UNSUBSCRIBE
a GET x
c PUBLISH one 7
a SUBSCRIBE one
a RESET
a GET x
c PUBLISH one 8
b PUNSUBSCRIBE
b UNSUBSCRIBE`)
}

func TestSubscribingInATransactionEqualsADirectRedis(t *testing.T) {
	sameStory(t, newPair(t), `
a HELLO 3
a SUBSCRIBE one
a MULTI
a SUBSCRIBE one two two
a SET x 1
a PSUBSCRIBE p*
a UNSUBSCRIBE two
a SSUBSCRIBE s
a GET x
a EXEC
b PUBLISH one 1
a hears 1
b PUBLISH two 1
b PUBLISH p 1
a hears 1
b SPUBLISH s 1
a MULTI
a SUBSCRIBE three
a EXEC
b PUBLISH three 2
a hears 1
a MULTI
a SUBSCRIBE four
a DISCARD
b PUBLISH four 1
a MULTI
a SUBSCRIBE four
a NOSUCH
a EXEC
b PUBLISH four 2
a WATCH x
b SET x 2
a MULTI
a SUBSCRIBE four
a SET x 3
a EXEC
b PUBLISH four 3
c MULTI
c SUBSCRIBE five
c PSUBSCRIBE six*
c EXEC
b PUBLISH five 1
c hears 1
b PUBLISH sixty 1
c hears 1`)
}

func TestUnsubscribingInATransactionEqualsADirectRedis(t *testing.T) {
	sameStory(t, newPair(t), `
b MULTI
b UNSUBSCRIBE
b PUNSUBSCRIBE x
b SUNSUBSCRIBE x y
b EXEC
a HELLO 3
a SUBSCRIBE one two
a PSUBSCRIBE p*
a SSUBSCRIBE s
a MULTI
a UNSUBSCRIBE one none one
a SET x 1
a PUNSUBSCRIBE
a SUNSUBSCRIBE
a GET x
a EXEC
b PUBLISH one 1
b PUBLISH p 1
b SPUBLISH s 1
b PUBLISH two 1
a hears 1
a MULTI
a UNSUBSCRIBE
a DISCARD
a MULTI
a UNSUBSCRIBE
a NOSUCH
a EXEC
a WATCH x
b SET x 2
a MULTI
a UNSUBSCRIBE
a GET x
a EXEC
b PUBLISH two 2
a hears 1
a MULTI
a UNSUBSCRIBE two
a EXEC
b PUBLISH two 3
a SUBSCRIBE two
b PUBLISH two 4
a hears 1`)
}

func TestTrackingEqualsADirectRedis(t *testing.T) {
	sameStory(t, newPair(t), `
a HELLO 3
a CLIENT TRACKINGINFO
a CLIENT GETREDIR
a CLIENT TRACKING on
a CLIENT TRACKINGINFO
a CLIENT GETREDIR
a GET key1
a MGET key2 key3
c SET key1 x
a hears 1
c MSET key2 x key3 y key4 z
a hears 2
a SET key1 own
a GET key1
a SET key1 own
c FLUSHALL
a hears 1
a CLIENT TRACKING off
a CLIENT TRACKING on OPTIN NOLOOP
a CLIENT CACHING no
a GET key1
c SET key1 1
a CLIENT CACHING yes
a GET key1
a GET key2
c SET key2 2
c SET key1 2
a hears 1
a CLIENT CACHING yes
a MULTI
a GET key1
a GET key2
a EXEC
c SET key1 3
a hears 1
c SET key2 3
a hears 1
a CLIENT TRACKING on BCAST
a CLIENT TRACKING off
a CLIENT TRACKING on BCAST PREFIX k PREFIX kk
a CLIENT TRACKING on BCAST PREFIX k PREFIX o
a CLIENT TRACKINGINFO
c SET other 1
a hears 1
c SET zzz 1
a CLIENT TRACKING off
b SUBSCRIBE __redis__:invalidate
a CLIENT TRACKING on REDIRECT @b
a CLIENT GETREDIR
a CLIENT TRACKINGINFO
a GET key1
c SET key1 4
b hears 1
c FLUSHDB
b hears 1
a CLIENT TRACKING on REDIRECT 99999999
a CLIENT TRACKING on REDIRECT @b NOLOOP
a GET key1
a SET key1 5
a GET key2
c SET key2 5
b hears 1
a CLIENT TRACKING off
a CLIENT TRACKINGINFO
c CLIENT TRACKING on REDIRECT @a
c GET key1
b UNSUBSCRIBE
b SET key1 6
a hears 1
c CLIENT TRACKING on OPTIN OPTOUT
c CLIENT TRACKING maybe
c CLIENT TRACKING on WHAT
c CLIENT CACHING yes
b CLIENT CACHING yes`)
}

func TestBlockingEqualsADirectRedis(t *testing.T) {
	sameStory(t, newPair(t), `
a RPUSH list 1 2 3
b BLPOP none list 0
b BLMOVE list other LEFT RIGHT 0
b BLMPOP 0 2 none list LEFT COUNT 2
b BLPOP none -1
b BLPOP list x
b SET string s
b BLPOP string 0
b BZPOPMIN none 0.01
a XADD s 1-1 f v
b XREAD BLOCK 0 STREAMS s 0
b XREAD BLOCK 10 STREAMS s $
b WAIT 0 0
b WAIT 1 10
b MULTI
b BLPOP none 0
b XREAD BLOCK 0 STREAMS s $
b EXEC
b BRPOPLPUSH other list 0
c CLIENT UNBLOCK @b
c CLIENT UNBLOCK 99999999 TIMEOUT
c CLIENT UNBLOCK @b WHAT`)
}

func TestTransactionsWithoutMemoryEqualADirectRedis(t *testing.T) {
	sameStory(t, newPair(t, "--admin-commands", "allow"), `
a SET x 1
b CONFIG SET maxmemory 1
a SET x 2
a GET x
a MULTI
a SET x 2
a GET x
a EXEC
b CONFIG SET maxmemory 0
a MULTI
a SET x 3
a GET x
b CONFIG SET maxmemory 1
a EXEC
b CONFIG SET maxmemory 0
a WATCH x
a MULTI
a SET x 4
b CONFIG SET maxmemory 1
a EXEC
b CONFIG SET maxmemory 0
a MULTI
a SET x 5
a EXEC
a GET x`)
}
