# redis-py with its default settings, the blocking and the asyncio client.
import asyncio, sys, threading
import redis, redis.asyncio

port = int(sys.argv[1])
for protocol in (2, 3):
    r = redis.Redis(port=port, protocol=protocol, decode_responses=True)
    r.flushall()
    assert r.set("{t}s", "v") and r.get("{t}s") == "v"
    assert r.hset("{t}h", mapping={"a": 1, "b": 2}) == 2 and r.hgetall("{t}h") == {"a": "1", "b": "2"}
    with r.pipeline(transaction=False) as p:
        for i in range(200):
            p.set(f"k{i}", i)
        p.mget([f"k{i}" for i in range(200)])
        assert p.execute()[-1] == [str(i) for i in range(200)]
    with r.pipeline() as p:
        p.incr("{t}n").incr("{t}n")
        assert p.execute() == [1, 2]

    def add(p):
        n = int(p.get("{t}n"))
        p.multi()
        p.set("{t}n", n + 1)
    for _ in range(20):
        r.transaction(add, "{t}n")
    assert r.get("{t}n") == "22"
    with r.pipeline() as p:  # a watched key that changes
        p.watch("{t}n")
        r.incr("{t}n")
        p.multi()
        p.set("{t}n", 0)
        try:
            p.execute()
            raise SystemExit("the transaction ran although its key changed")
        except redis.WatchError:
            pass
    s = r.pubsub()
    s.subscribe("news")
    s.psubscribe("n*")
    assert s.get_message(timeout=5)["type"] == "subscribe" and s.get_message(timeout=5)["type"] == "psubscribe"
    assert r.publish("news", "hello") == 2
    assert sorted(s.get_message(timeout=5)["type"] for _ in range(2)) == ["message", "pmessage"]
    s.close()
    threading.Timer(0.2, lambda: redis.Redis(port=port).rpush("{t}q", "x")).start()
    assert r.blpop("{t}q", timeout=5) in (("{t}q", "x"), ["{t}q", "x"])
    assert r.blpop("{t}q", timeout=1) is None
    double = r.register_script("return redis.call('get', KEYS[1]) * ARGV[1]")
    assert double(keys=["{t}n"], args=[2]) == 46
    assert len(set(r.scan_iter(count=50))) == r.dbsize() == 203
    lock = r.lock("lock", timeout=5)
    assert lock.acquire() and not r.lock("lock").acquire(blocking=False)
    lock.release()
    r.client_kill_filter(_id=r.client_id(), skipme=False)
    assert r.get("{t}s") == "v"  # reconnects
    assert r.xadd("{t}x", {"f": "v"}) and r.xread({"{t}x": "0"}, block=100)


async def main():
    r = redis.asyncio.Redis(port=port, decode_responses=True)
    await r.set("a", "1")
    assert await asyncio.gather(*(r.incr("a") for _ in range(50))) and await r.get("a") == "51"
    async with r.pubsub() as s:
        await s.subscribe("async")
        await r.publish("async", "x")
        got = None
        while not got or got["type"] != "message":  # get_message may give None before the time is over
            got = await asyncio.wait_for(s.get_message(timeout=5), 6)
        assert got["data"] == "x", got
    await r.aclose()

asyncio.run(main())
