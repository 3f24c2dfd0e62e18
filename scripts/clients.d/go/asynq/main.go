// asynq: twenty jobs, of which one fails at first and is tried again.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"
)

const tasks = 20

func main() {
	addr := "127.0.0.1:" + os.Args[1]
	var opt asynq.RedisConnOpt = asynq.RedisClientOpt{Addr: addr}
	if os.Args[2] == "cluster" {
		opt = asynq.RedisClusterClientOpt{Addrs: []string{addr}}
	}
	check(opt.MakeRedisClient().(redis.UniversalClient).FlushAll(context.Background()).Err())

	var done sync.WaitGroup
	done.Add(tasks)
	server := asynq.NewServer(opt, asynq.Config{
		LogLevel:       asynq.ErrorLevel,
		RetryDelayFunc: func(int, error, *asynq.Task) time.Duration { return 0 }, // by default 15 seconds and more
	})
	check(server.Start(asynq.HandlerFunc(func(ctx context.Context, t *asynq.Task) error {
		if n, _ := asynq.GetRetryCount(ctx); n == 0 && string(t.Payload()) == "7" {
			return errors.New("not yet")
		}
		done.Done()
		return nil
	})))
	client := asynq.NewClient(opt)
	for i := range tasks {
		_, err := client.Enqueue(asynq.NewTask("count", fmt.Append(nil, i)))
		check(err)
	}
	check(client.Close())
	done.Wait()
	server.Shutdown()
	q, err := asynq.NewInspector(opt).GetQueueInfo("default")
	check(err)
	if q.Processed != tasks+1 || q.Failed != 1 || q.Size != 0 {
		panic(fmt.Sprintf("%+v", q))
	}
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
