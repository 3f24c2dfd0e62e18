// Lettuce with its default settings, the plain client and the cluster client.
import io.lettuce.core.*;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.api.async.RedisStringAsyncCommands;
import io.lettuce.core.api.sync.*;
import io.lettuce.core.cluster.RedisClusterClient;
import io.lettuce.core.cluster.api.sync.RedisClusterCommands;
import io.lettuce.core.pubsub.*;
import java.util.*;
import java.util.concurrent.*;

class LettuceProgram {
  public static void main(String[] args) throws Exception {
    String uri = "redis://127.0.0.1:" + args[0];
    if (args[1].equals("cluster")) {
      RedisClusterClient client = RedisClusterClient.create(uri);
      var c = client.connect();
      String node = c.sync().clusterMyId();
      run(c.sync(), c.async(), c.getConnection(node).sync(), client.connect().sync(), client.connectPubSub());
      client.shutdown();
    } else {
      RedisClient client = RedisClient.create(uri);
      var c = client.connect();
      run(c.sync(), c.async(), client.connect().sync(), client.connect().sync(), client.connectPubSub());
      client.shutdown();
    }
  }

  // run does everything over r; transactions, which a cluster connection does not have, over one to a node, and what
  // another client does over other.
  static void run(RedisClusterCommands<String, String> r, RedisStringAsyncCommands<String, String> async,
      RedisCommands<String, String> node, RedisClusterCommands<String, String> other,
      StatefulRedisPubSubConnection<String, String> sub) throws Exception {
    r.flushall();
    equal(r.set("{t}s", "v"), "OK");
    equal(r.get("{t}s"), "v");
    equal(r.hset("{t}h", Map.of("a", "1", "b", "2")), 2L);
    equal(r.hgetall("{t}h"), Map.of("a", "1", "b", "2"));
    List<RedisFuture<String>> replies = new ArrayList<>();
    for (int i = 0; i < 200; i++) replies.add(async.set("k" + i, "" + i));
    for (var reply : replies) equal(reply.get(5, TimeUnit.SECONDS), "OK");
    equal(r.get("k199"), "199");

    node.multi();
    node.incr("{t}n");
    node.incr("{t}n");
    TransactionResult done = node.exec();
    equal(done.get(1), 2L);
    node.watch("{t}n"); // a watched key that changes
    other.incr("{t}n");
    node.multi();
    node.set("{t}n", "0");
    equal(node.exec().wasDiscarded(), true);

    var heard = new CompletableFuture<String>();
    sub.addListener(new RedisPubSubAdapter<>() {
      @Override public void message(String channel, String message) { heard.complete(message); }
    });
    sub.sync().subscribe("news");
    equal(r.publish("news", "hello"), 1L);
    equal(heard.get(5, TimeUnit.SECONDS), "hello");

    equal(r.blpop(1, "{t}q"), null);
    var popped = CompletableFuture.supplyAsync(() -> r.blpop(5, "{t}q"));
    other.rpush("{t}q", "x");
    equal(popped.get(), KeyValue.just("{t}q", "x"));
    String script = "return redis.call('get', KEYS[1]) * ARGV[1]";
    String sha = r.scriptLoad(script);
    equal(sha, r.digest(script));
    equal(r.evalsha(sha, ScriptOutputType.INTEGER, new String[] {"{t}n"}, "2"), 6L);
    Set<String> seen = new HashSet<>();
    KeyScanCursor<String> cursor = r.scan(ScanArgs.Builder.limit(50));
    for (seen.addAll(cursor.getKeys()); !cursor.isFinished(); seen.addAll(cursor.getKeys())) cursor = r.scan(cursor, ScanArgs.Builder.limit(50));
    equal((long) seen.size(), r.dbsize());

    long id = node.clientId();
    equal(node.clientKill(KillArgs.Builder.id(id).skipme(false)), 1L);
    equal(node.get("{t}s"), "v"); // reconnects
    if (node.clientId() == id) throw new AssertionError("the killed connection is still there");
    equal(r.get("{t}s"), "v");
  }

  static void equal(Object got, Object want) {
    if (!Objects.equals(got, want)) throw new AssertionError("got " + got + ", want " + want);
  }
}
