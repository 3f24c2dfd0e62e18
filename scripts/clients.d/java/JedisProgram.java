// Jedis with its default settings, the plain client and the cluster client.
import java.util.*;
import java.util.concurrent.*;
import java.util.function.Function;
import redis.clients.jedis.*;
import redis.clients.jedis.exceptions.JedisConnectionException;
import redis.clients.jedis.util.JedisClusterCRC16;

class JedisProgram {
  public static void main(String[] args) throws Exception {
    int port = Integer.parseInt(args[0]);
    if (args[1].equals("cluster")) {
      var r = RedisClusterClient.create(Set.of(new HostAndPort("127.0.0.1", port)));
      // The cluster client has no transactions but over one of its connections.
      run(r, multi -> new Transaction(r.getConnectionFromSlot(JedisClusterCRC16.getSlot("{t}n")), multi, true));
    } else {
      var r = RedisClient.create("127.0.0.1", port);
      run(r, r::transaction);
    }
  }

  static void run(UnifiedJedis r, Function<Boolean, AbstractTransaction> transaction) throws Exception {
    r.flushAll();
    equal(r.set("{t}s", "v"), "OK");
    equal(r.get("{t}s"), "v");
    equal(r.hset("{t}h", Map.of("a", "1", "b", "2")), 2L);
    equal(r.hgetAll("{t}h"), Map.of("a", "1", "b", "2"));
    try (var p = r.pipelined()) {
      for (int i = 0; i < 200; i++) p.set("k" + i, "" + i);
      Response<String> last = p.get("k199");
      p.sync();
      equal(last.get(), "199");
    }
    try (var t = transaction.apply(true)) {
      t.incr("{t}n");
      t.incr("{t}n");
      equal(t.exec(), List.of(1L, 2L));
    }
    try (var t = transaction.apply(false)) { // a watched key that changes
      t.watch("{t}n");
      r.incr("{t}n");
      t.multi();
      t.set("{t}n", "0");
      equal(t.exec(), null);
    }

    BlockingQueue<String> heard = new LinkedBlockingQueue<>();
    JedisPubSub listener = new JedisPubSub() {
      @Override public void onSubscribe(String channel, int n) { heard.add("subscribed"); }
      @Override public void onMessage(String channel, String message) { heard.add(message); unsubscribe(); }
    };
    var subscriber = CompletableFuture.runAsync(() -> r.subscribe(listener, "news"));
    equal(heard.poll(5, TimeUnit.SECONDS), "subscribed");
    equal(r.publish("news", "hello"), 1L);
    equal(heard.poll(5, TimeUnit.SECONDS), "hello");
    subscriber.get(5, TimeUnit.SECONDS);

    equal(r.blpop(1, "{t}q"), null);
    var popped = CompletableFuture.supplyAsync(() -> r.blpop(5, "{t}q"));
    r.rpush("{t}q", "x");
    equal(popped.get(), List.of("{t}q", "x"));
    String sha = r.scriptLoad("return redis.call('get', KEYS[1]) * ARGV[1]", "{t}n");
    equal(r.evalsha(sha, List.of("{t}n"), List.of("2")), 6L);
    Set<String> seen = new HashSet<>();
    for (var scan = r.scanIteration(50, "*"); !scan.isIterationCompleted();) seen.addAll(scan.nextBatchList());
    equal((long) seen.size(), r.dbSize());

    // Of the pool's connections the one that was used last comes first.
    String id = r.sendCommand(Protocol.Command.CLIENT, "ID").toString();
    equal(r.sendCommand(Protocol.Command.CLIENT, "KILL", "ID", id, "SKIPME", "no"), 1L);
    try {
      r.get("{t}s");
    } catch (JedisConnectionException e) { // the plain client tells of a lost connection and tries nothing again
    }
    equal(r.get("{t}s"), "v");
    r.close();
  }

  static void equal(Object got, Object want) {
    if (!Objects.equals(got, want)) throw new AssertionError("got " + got + ", want " + want);
  }
}
