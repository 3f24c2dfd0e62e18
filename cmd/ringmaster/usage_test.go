package main

import "testing"

func TestRedisCLI(t *testing.T) {
	for addr, want := range map[string]string{
		"127.0.0.1:6380": "redis-cli -p 6380", "[::]:6380": "redis-cli -p 6380", "10.0.0.9:7": "redis-cli -h 10.0.0.9 -p 7",
		"unix:///run/x": "redis-cli -s /run/x",
	} {
		if got := redisCLI(addr); got != want {
			t.Errorf("%s: %s", addr, got)
		}
	}
}
