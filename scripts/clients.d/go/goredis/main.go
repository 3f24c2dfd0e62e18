// go-redis with its default settings, the plain client and the cluster client.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"reflect"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

var (
	ctx     = context.Background()
	addr    = "127.0.0.1:" + os.Args[1]
	cluster = os.Args[2] == "cluster"
)

func main() {
	r := connect()
	defer r.Close()
	check(r.FlushAll(ctx).Err())
	equal(must(r.Set(ctx, "{t}s", "v", 0).Result()), "OK")
	equal(must(r.Get(ctx, "{t}s").Result()), "v")
	equal(r.Get(ctx, "{t}none").Err(), redis.Nil)
	equal(must(r.HSet(ctx, "{t}h", "a", 1, "b", 2).Result()), int64(2))
	equal(must(r.HGetAll(ctx, "{t}h").Result()), map[string]string{"a": "1", "b": "2"})
	equal(len(must(r.Pipelined(ctx, func(p redis.Pipeliner) error {
		for i := range 200 {
			p.Set(ctx, fmt.Sprint("k", i), i, 0)
		}
		return nil
	}))), 200)
	equal(must(r.Get(ctx, "k199").Result()), "199")
	transactions(r)
	messages(r)

	equal(r.BLPop(ctx, time.Second, "{t}q").Err(), redis.Nil)
	popped := make(chan []string, 1)
	go func() { popped <- must(r.BLPop(ctx, 5*time.Second, "{t}q").Result()) }()
	check(r.RPush(ctx, "{t}q", "x").Err())
	equal(<-popped, []string{"{t}q", "x"})
	double := redis.NewScript("return redis.call('get', KEYS[1]) * ARGV[1]")
	for range 2 {
		equal(must(double.Run(ctx, r, []string{"{t}n"}, 2).Result()), int64(6))
	}
	equal(int64(len(scan(r))), must(r.DBSize(ctx).Result()))
	id := must(r.Do(ctx, "client", "id").Int64())
	equal(must(r.Do(ctx, "client", "kill", "id", id, "skipme", "no").Int64()), int64(1))
	equal(must(r.Get(ctx, "{t}s").Result()), "v") // reconnects
}

func connect() redis.UniversalClient {
	if cluster {
		return redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{addr}})
	}
	return redis.NewClient(&redis.Options{Addr: addr})
}

func transactions(r redis.UniversalClient) {
	twice := func(p redis.Pipeliner) error {
		p.Incr(ctx, "{t}n")
		p.Incr(ctx, "{t}n")
		return nil
	}
	equal(must(r.TxPipelined(ctx, twice))[1].(*redis.IntCmd).Val(), int64(2))
	watched := func(meanwhile func()) error {
		return r.Watch(ctx, func(tx *redis.Tx) error {
			n := must(tx.Get(ctx, "{t}n").Int())
			meanwhile()
			_, err := tx.TxPipelined(ctx, func(p redis.Pipeliner) error { return p.Set(ctx, "{t}n", n, 0).Err() })
			return err
		}, "{t}n")
	}
	check(watched(func() {}))
	err := watched(func() { check(r.Incr(ctx, "{t}n").Err()) })
	equal(errors.Is(err, redis.TxFailedErr), true)
	equal(must(r.Get(ctx, "{t}n").Result()), "3")
}

func messages(r redis.UniversalClient) {
	s := r.Subscribe(ctx, "news")
	defer s.Close()
	must(s.Receive(ctx)) // the confirmation
	equal(must(r.Publish(ctx, "news", "hello").Result()), int64(1))
	equal((<-s.Channel()).Payload, "hello")
}

// scan returns every key, of all nodes in a cluster.
func scan(r redis.UniversalClient) map[string]bool {
	seen, lock := map[string]bool{}, sync.Mutex{}
	one := func(ctx context.Context, c *redis.Client) error {
		it := c.Scan(ctx, 0, "", 50).Iterator()
		for it.Next(ctx) {
			lock.Lock()
			seen[it.Val()] = true
			lock.Unlock()
		}
		return it.Err()
	}
	if c, ok := r.(*redis.ClusterClient); ok {
		check(c.ForEachMaster(ctx, one))
	} else {
		check(one(ctx, r.(*redis.Client)))
	}
	return seen
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
