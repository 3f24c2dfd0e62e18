package e2e

import (
	"strings"
	"testing"

	"ringmaster/internal/testkit"
)

// Whatever a client asks, it does not hear the passwords of the servers, the hash of one, or their users.
func TestNoAnswerTellsOfTheServersLogins(t *testing.T) {
	const secret, digest = "UPSECRET", "5533eaea" // the beginning of its SHA-256
	server := testkit.Redis(t, "--requirepass", secret, "--masterauth", secret, "--slowlog-log-slower-than", "0", "--latency-monitor-threshold", "1")
	operator := testkit.Dial(t, server.Addr)
	operator.Do("AUTH", secret)
	operator.Do("ACL", "SETUSER", "hidden-user", "on", ">"+secret, "+@all")
	operator.Do("AUTH", "hidden-user", "wrong")
	operator.Do("CONFIG", "SET", "masterauth", secret)
	for _, proto := range []string{"2", "3"} {
		for _, upstreams := range [][]string{{server.Addr}, {server.Addr, testkit.Redis(t).Addr}} {
			if len(upstreams) > 1 {
				testkit.Dial(t, upstreams[1]).Do("CONFIG", "SET", "requirepass", secret, "masterauth", secret)
			}
			proxy := testkit.Proxy(t, upstreams, "--upstream-password", secret, "--hash-tag", "{}")
			c := testkit.Dial(t, proxy.Addr)
			c.Do("HELLO", proto)
			for _, line := range strings.Split(strings.TrimSpace(asksForSecrets), "\n") {
				words := strings.Fields(line)
				if v := c.Do(words...); strings.Contains(v, secret) || strings.Contains(v, digest) || strings.Contains(v, "hidden-user") {
					t.Errorf("RESP%s, %d servers, %s: %s", proto, len(upstreams), line, v)
				}
				c.Do("MULTI")
				c.Do(words...)
				if v := c.Do("EXEC"); strings.Contains(v, secret) || strings.Contains(v, digest) || strings.Contains(v, "hidden-user") {
					t.Errorf("RESP%s, %d servers, in a transaction, %s: %s", proto, len(upstreams), line, v)
				}
			}
		}
	}
}

const asksForSecrets = `
CONFIG GET requirepass
CONFIG GET REQUIREPASS
CONFIG GET *
CONFIG GET *pass* master*
config get [r]equire*
CONFIG GET masterauth
ACL LIST
ACL USERS
ACL GETUSER default
ACL GETUSER hidden-user
ACL DRYRUN hidden-user GET x
ACL LOG
ACL WHOAMI
CLIENT LIST
CLIENT INFO
SLOWLOG GET -1
LATENCY LATEST
INFO everything
MODULE LIST
HELLO
DEBUG OBJECT x
MEMORY DOCTOR
LATENCY DOCTOR
ROLE
COMMAND LIST
MONITOR
EVAL return{redis.pcall('config','get','*')} 0
EVAL return{redis.pcall('acl','list')} 0
EVAL return{redis.pcall('acl','getuser','default')} 0
EVAL return{redis.pcall('client','list')} 0
EVAL return{redis.pcall('slowlog','get','-1')} 0
EVAL return{redis.pcall('info')} 0
`

// All that CONFIG GET says but for passwords is what the server says, byte for byte.
func TestConfigGetIsTheServersButForPasswords(t *testing.T) {
	server := testkit.Redis(t)
	proxy := testkit.Proxy(t, []string{server.Addr})
	for _, pattern := range []string{"*", "max*", "port", "nosuch", "[a-c]*"} {
		for _, hello := range []string{"HELLO 2", "HELLO 3"} {
			raw := req("CONFIG GET " + pattern)
			direct, proxied := testkit.Dial(t, server.Addr), testkit.Dial(t, proxy.Addr)
			direct.Do(strings.Fields(hello)...)
			proxied.Do(strings.Fields(hello)...)
			direct.Send(raw + req("QUIT"))
			proxied.Send(raw + req("QUIT"))
			want, err1 := direct.Rest()
			got, err2 := proxied.Rest()
			if err1 != nil || err2 != nil || string(got) != string(want) {
				t.Errorf("%s after %s: %v %v\ndirect: %.300q\nproxy:  %.300q", pattern, hello, err1, err2, want, got)
			}
		}
	}
}
