// Spring Session's indexed repository with Lettuce, as Spring sets it up but for the servers' notify-keyspace-events, which operators
// set (ConfigureRedisAction.NO_OP). Over shards the namespace has a hash tag, since a session's key is renamed at each login.
import java.time.Duration;
import java.util.*;
import java.util.concurrent.*;
import org.springframework.data.redis.connection.*;
import org.springframework.data.redis.connection.lettuce.LettuceConnectionFactory;
import org.springframework.data.redis.core.RedisTemplate;
import org.springframework.data.redis.listener.*;
import org.springframework.data.redis.serializer.*;
import org.springframework.session.FindByIndexNameSessionRepository;
import org.springframework.session.data.redis.RedisIndexedSessionRepository;
import org.springframework.session.events.*;

class SpringSessionProgram {
  public static void main(String[] args) throws Exception {
    int port = Integer.parseInt(args[0]);
    var factory = args[1].equals("cluster")
      ? new LettuceConnectionFactory(new RedisClusterConfiguration(List.of("127.0.0.1:" + port)))
      : new LettuceConnectionFactory(new RedisStandaloneConfiguration("127.0.0.1", port));
    factory.afterPropertiesSet();
    factory.start();
    factory.getConnection().serverCommands().flushAll();
    RedisTemplate<String, Object> template = new RedisTemplate<>();
    template.setConnectionFactory(factory);
    template.setKeySerializer(RedisSerializer.string());
    template.setHashKeySerializer(RedisSerializer.string());
    template.afterPropertiesSet();
    var sessions = new RedisIndexedSessionRepository(template);
    if (!args[1].equals("single")) sessions.setRedisKeyNamespace("{spring}:session");
    BlockingQueue<Object> events = new LinkedBlockingQueue<>();
    sessions.setApplicationEventPublisher(events::add);
    sessions.afterPropertiesSet();
    var container = new RedisMessageListenerContainer();
    container.setConnectionFactory(factory);
    container.addMessageListener(sessions, List.of(new ChannelTopic(sessions.getSessionDeletedChannel()),
      new ChannelTopic(sessions.getSessionExpiredChannel()), new PatternTopic(sessions.getSessionCreatedChannelPrefix() + "*")));
    container.afterPropertiesSet();
    container.start();

    var session = sessions.createSession();
    session.setAttribute(FindByIndexNameSessionRepository.PRINCIPAL_NAME_INDEX_NAME, "ann");
    session.setAttribute("cart", new ArrayList<>(List.of("a", "b")));
    sessions.save(session);
    happens(events, SessionCreatedEvent.class);
    equal(sessions.findById(session.getId()).getAttribute("cart"), List.of("a", "b"));
    equal(sessions.findByPrincipalName("ann").keySet(), Set.of(session.getId()));
    String before = session.getId();
    session.changeSessionId(); // as at a login
    sessions.save(session);
    equal(sessions.findById(before), null);
    equal(sessions.findById(session.getId()).getAttribute("cart"), List.of("a", "b"));
    sessions.deleteById(session.getId());
    happens(events, SessionDeletedEvent.class);
    equal(sessions.findByPrincipalName("ann"), Map.of());

    var brief = sessions.createSession();
    brief.setMaxInactiveInterval(Duration.ofSeconds(1));
    sessions.save(brief);
    happens(events, SessionCreatedEvent.class);
    happens(events, SessionExpiredEvent.class);
    equal(sessions.findById(brief.getId()), null);
    container.stop();
    sessions.destroy();
    factory.stop();
    System.exit(0); // the container's threads
  }

  static void happens(BlockingQueue<Object> events, Class<?> what) throws Exception {
    Object event = events.poll(20, TimeUnit.SECONDS);
    if (!what.isInstance(event)) throw new AssertionError("got " + event + ", want " + what);
  }

  static void equal(Object got, Object want) {
    if (!Objects.equals(got, want)) throw new AssertionError("got " + got + ", want " + want);
  }
}
