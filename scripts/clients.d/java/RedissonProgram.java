// Redisson with its default settings, the plain client and the cluster client: locks that wait, maps, queues, topics, delayed jobs.
import java.util.*;
import java.util.concurrent.*;
import org.redisson.Redisson;
import org.redisson.api.*;
import org.redisson.config.Config;

class RedissonProgram {
  public static void main(String[] args) throws Exception {
    String address = "redis://127.0.0.1:" + args[0];
    Config config = new Config();
    if (args[1].equals("cluster")) config.useClusterServers().addNodeAddress(address);
    else config.useSingleServer().setAddress(address);
    RedissonClient r = Redisson.create(config), other = Redisson.create(config);
    r.getKeys().flushall();

    RBucket<String> bucket = r.getBucket("b");
    bucket.set("v", java.time.Duration.ofMinutes(1));
    equal(other.getBucket("b").get(), "v");
    equal(r.getAtomicLong("n").addAndGet(5), 5L);
    RMapCache<String, Integer> map = r.getMapCache("map");
    map.put("a", 1, 1, TimeUnit.MINUTES);
    map.putAll(Map.of("b", 2, "c", 3));
    equal(new TreeMap<>(map.readAllMap()), new TreeMap<>(Map.of("a", 1, "b", 2, "c", 3)));
    RBatch batch = r.createBatch();
    for (int i = 0; i < 100; i++) batch.getBucket("k" + i).setAsync(i);
    equal(batch.execute().getResponses().size(), 100);
    equal(r.getKeys().count() > 100, true);

    // A lock that another client waits for, over a channel.
    RLock lock = r.getLock("lock");
    lock.lock();
    var waits = CompletableFuture.supplyAsync(() -> {
      try {
        return other.getLock("lock").tryLock(10, 10, TimeUnit.SECONDS);
      } catch (InterruptedException e) {
        return false;
      }
    });
    Thread.sleep(200);
    equal(waits.isDone(), false);
    lock.unlock();
    equal(waits.get(10, TimeUnit.SECONDS), true);
    RSemaphore semaphore = r.getSemaphore("semaphore");
    semaphore.trySetPermits(1);
    semaphore.acquire();
    equal(other.getSemaphore("semaphore").tryAcquire(), false);
    semaphore.release();

    BlockingQueue<String> heard = new LinkedBlockingQueue<>();
    other.getTopic("news").addListener(String.class, (channel, message) -> heard.add(message));
    other.getPatternTopic("new*").addListener(String.class, (pattern, channel, message) -> heard.add(message));
    equal(r.getTopic("news").publish("hello"), 2L);
    equal(heard.poll(5, TimeUnit.SECONDS) + heard.poll(5, TimeUnit.SECONDS), "hellohello");

    RBlockingQueue<String> queue = r.getBlockingQueue("queue");
    var popped = CompletableFuture.supplyAsync(() -> {
      try {
        return other.<String>getBlockingQueue("queue").poll(10, TimeUnit.SECONDS);
      } catch (InterruptedException e) {
        return null;
      }
    });
    queue.add("x");
    equal(popped.get(), "x");
    RDelayedQueue<String> delayed = r.getDelayedQueue(queue);
    delayed.offer("later", 1, TimeUnit.SECONDS);
    equal(queue.poll(10, TimeUnit.SECONDS), "later");
    delayed.destroy();

    RRateLimiter limiter = r.getRateLimiter("limiter");
    limiter.trySetRate(RateType.OVERALL, 2, java.time.Duration.ofMinutes(1));
    equal(List.of(limiter.tryAcquire(), limiter.tryAcquire(), limiter.tryAcquire()), List.of(true, true, false));
    equal(r.getScript().eval(RScript.Mode.READ_WRITE, "return redis.call('incr', KEYS[1])", RScript.ReturnType.INTEGER, List.of("s")), 1L);
    Set<String> keys = new HashSet<>();
    for (String key : r.getKeys().getKeysByPattern("k*")) keys.add(key);
    equal(keys.size(), 100);
    equal(r.getKeys().deleteByPattern("k*"), 100L);
    RTransaction transaction = r.createTransaction(TransactionOptions.defaults());
    transaction.getMap("{t}m").put("a", 1);
    transaction.getBucket("{t}b").set("v");
    transaction.commit();
    equal(other.getBucket("{t}b").get(), "v");
    r.shutdown();
    other.shutdown();
  }

  static void equal(Object got, Object want) {
    if (!Objects.equals(got, want)) throw new AssertionError("got " + got + ", want " + want);
  }
}
