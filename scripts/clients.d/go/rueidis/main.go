// rueidis with its default settings, and so with client-side caching. It finds out itself whether it faces a cluster.
package main

import (
	"context"
	"fmt"
	"os"
	"reflect"
	"time"

	"github.com/redis/rueidis"
)

var ctx = context.Background()

func main() {
	r, other := connect(), connect()
	defer r.Close()
	defer other.Close()
	b := r.B
	ok := func(c rueidis.Completed) rueidis.RedisResult { return r.Do(ctx, c) }
	check(ok(b().Flushall().Build()).Error())
	check(ok(b().Set().Key("{t}s").Value("v").Build()).Error())
	equal(must(ok(b().Get().Key("{t}s").Build()).ToString()), "v")
	check(ok(b().Hset().Key("{t}h").FieldValue().FieldValue("a", "1").FieldValue("b", "2").Build()).Error())
	equal(must(ok(b().Hgetall().Key("{t}h").Build()).AsStrMap()), map[string]string{"a": "1", "b": "2"})
	var pipeline rueidis.Commands
	for i := range 200 {
		pipeline = append(pipeline, b().Set().Key(fmt.Sprint("k", i)).Value(fmt.Sprint(i)).Build())
	}
	for _, reply := range r.DoMulti(ctx, pipeline...) {
		check(reply.Error())
	}
	equal(must(ok(b().Get().Key("k199").Build()).ToString()), "199")
	transactions(r, other)
	messages(r)

	popped := make(chan []string, 1)
	go func() { popped <- must(other.Do(ctx, b().Blpop().Key("{t}q").Timeout(5).Build()).AsStrSlice()) }()
	check(ok(b().Rpush().Key("{t}q").Element("x").Build()).Error())
	equal(<-popped, []string{"{t}q", "x"})
	double := rueidis.NewLuaScript("return redis.call('get', KEYS[1]) * ARGV[1]")
	for range 2 {
		equal(must(double.Exec(ctx, r, []string{"{t}n"}, []string{"2"}).AsInt64()), int64(6))
	}
	seen, size := map[string]bool{}, int64(0)
	for _, node := range r.Nodes() {
		for cursor, first := uint64(0), true; first || cursor != 0; first = false {
			e := must(node.Do(ctx, b().Scan().Cursor(cursor).Count(50).Build()).AsScanEntry())
			cursor = e.Cursor
			for _, k := range e.Elements {
				seen[k] = true
			}
		}
		size += must(node.Do(ctx, b().Dbsize().Build()).AsInt64())
	}
	equal(int64(len(seen)), size)
	caching(r, other)

	dedicated, release := r.Dedicate()
	id := must(dedicated.Do(ctx, b().ClientId().Build()).AsInt64())
	equal(must(ok(b().ClientKill().Id(id).Build()).AsInt64()), int64(1))
	release()
	equal(must(ok(b().Get().Key("{t}s").Build()).ToString()), "w")
	id = must(ok(b().ClientId().Build()).AsInt64())
	equal(must(other.Do(ctx, b().ClientKill().Id(id).Build()).AsInt64()), int64(1))
	equal(must(ok(b().Get().Key("{t}s").Build()).ToString()), "w") // reconnects
}

func connect() rueidis.Client {
	return must(rueidis.NewClient(rueidis.ClientOption{
		InitAddress:       []string{"127.0.0.1:" + os.Args[1]},
		ForceSingleClient: os.Args[2] == "sharded", // otherwise it would be the cluster client there, too
	}))
}

func transactions(r, other rueidis.Client) {
	run := func(meanwhile func()) []rueidis.RedisMessage {
		var got []rueidis.RedisMessage
		check(r.Dedicated(func(c rueidis.DedicatedClient) error {
			check(c.Do(ctx, c.B().Watch().Key("{t}n").Build()).Error())
			meanwhile()
			replies := c.DoMulti(ctx, c.B().Multi().Build(), c.B().Incr().Key("{t}n").Build(), c.B().Incr().Key("{t}n").Build(), c.B().Exec().Build())
			var err error
			if got, err = replies[3].ToArray(); rueidis.IsRedisNil(err) {
				return nil
			}
			return err
		}))
		return got
	}
	equal(len(run(func() {})), 2)
	equal(len(run(func() { check(other.Do(ctx, other.B().Incr().Key("{t}n").Build()).Error()) })), 0)
}

func messages(r rueidis.Client) {
	heard, subscribed := make(chan string, 1), make(chan struct{})
	until, stop := context.WithCancel(ctx)
	defer stop()
	until = rueidis.WithOnSubscriptionHook(until, func(s rueidis.PubSubSubscription) {
		if s.Kind == "subscribe" {
			close(subscribed)
		}
	})
	go func() {
		_ = r.Receive(until, r.B().Subscribe().Channel("news").Build(), func(m rueidis.PubSubMessage) { heard <- m.Message })
	}()
	<-subscribed
	equal(must(r.Do(ctx, r.B().Publish().Channel("news").Message("hello").Build()).AsInt64()), int64(1))
	equal(<-heard, "hello")
}

// caching reads a key twice, the second time from memory, and again after another client has written it.
func caching(r, other rueidis.Client) {
	get := func() rueidis.RedisResult { return r.DoCache(ctx, r.B().Get().Key("{t}s").Cache(), time.Hour) }
	equal(must(get().ToString()), "v")
	equal(get().IsCacheHit(), true)
	check(other.Do(ctx, other.B().Set().Key("{t}s").Value("w").Build()).Error())
	for must(get().ToString()) != "w" { // until the invalidation is there; the script that runs this bounds it
		time.Sleep(time.Millisecond)
	}
	equal(get().IsCacheHit(), true)
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func must[T any](v T, err error) T { check(err); return v }

func equal(got, want any) {
	if !reflect.DeepEqual(got, want) {
		panic(fmt.Sprintf("got %v, want %v", got, want))
	}
}
