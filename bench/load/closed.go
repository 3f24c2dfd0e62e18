package load

import (
	"context"
	"errors"
	"runtime"
	"time"
)

// Closed sends count requests on one connection, each after the reply to the previous one, and records their
// latencies to the nanosecond. Those of redis-benchmark are rounded to 8 µs, which is a third of the latency of a
// lone client. The first tenth is not recorded.
func Closed(ctx context.Context, addr string, requests [][]byte, count int) (Result, error) {
	if len(requests) == 0 || count < 1 {
		return Result{}, errors.New("closed loop: requests and a count are needed")
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	r := Result{Latency: newHistogram(), SendLag: newHistogram()}
	c, err := dial(addr)
	if err != nil {
		return r, err
	}
	defer c.close()
	if err := c.blocking(DrainTimeout); err != nil {
		return r, err
	}
	buf := make([]byte, 64<<10)
	start := time.Now()
	for i := 0; i < count && ctx.Err() == nil; i++ {
		sent := time.Now()
		if err := c.ask(requests[i%len(requests)], buf); err != nil {
			return r, err
		}
		r.Answered++
		if i >= count/10 {
			_ = r.Latency.RecordValue(min(int64(time.Since(sent)), int64(time.Minute)))
		}
	}
	r.Elapsed = time.Since(start)
	return r, ctx.Err()
}
