# redis-py's cluster client with its default settings.
import sys, threading
import redis
from redis.cluster import RedisCluster

port = int(sys.argv[1])
r = RedisCluster(host="127.0.0.1", port=port, decode_responses=True)
r.flushall()
assert r.set("{t}s", "v") and r.get("{t}s") == "v"
assert r.hset("{t}h", mapping={"a": 1, "b": 2}) == 2 and r.hgetall("{t}h") == {"a": "1", "b": "2"}
with r.pipeline() as p:
    for i in range(200):
        p.set(f"k{i}", i)
    assert p.execute() == [True] * 200
assert r.mget_nonatomic([f"k{i}" for i in range(200)]) == [str(i) for i in range(200)]
with r.pipeline(transaction=True) as p:
    p.incr("{t}n").incr("{t}n")
    assert p.execute() == [1, 2]
with r.pipeline(transaction=True) as p:  # a watched key that changes
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
assert s.get_message(timeout=5)["type"] == "subscribe"
assert r.publish("news", "hello") == 1
assert s.get_message(timeout=5)["data"] == "hello"
s.close()
s = r.pubsub()
s.ssubscribe("{t}news")
assert s.get_sharded_message(timeout=5)["type"] == "ssubscribe"
assert r.spublish("{t}news", "hello") == 1
assert s.get_sharded_message(timeout=5)["data"] == "hello"
s.close()
assert r.blpop("{t}q", timeout=1) is None
t = threading.Thread(target=lambda: RedisCluster(host="127.0.0.1", port=port).rpush("{t}q", "x"))
t.start()
assert list(r.blpop("{t}q", timeout=5)) == ["{t}q", "x"]
t.join()
double = r.register_script("return redis.call('get', KEYS[1]) * ARGV[1]")
assert double(keys=["{t}n"], args=[2]) == 6
assert len(set(r.scan_iter(count=50))) == r.dbsize() == 203
node = r.get_node_from_key("{t}s")
c = r.get_redis_connection(node)
c.client_kill_filter(_id=c.client_id(), skipme=False)
assert r.get("{t}s") == "v"  # reconnects
