<?php
// phpredis with its default settings: the plain client, its session handler, and the cluster client.
[, $port, $kind] = $argv;
function equal($got, $want) {
    if ($got !== $want) throw new Exception('got ' . var_export($got, true) . ', want ' . var_export($want, true));
}

if ($kind === 'cluster') {
    $r = new RedisCluster(null, ["127.0.0.1:$port"]);
    $r->flushAll("127.0.0.1:$port");
} else {
    $r = new Redis();
    $r->connect('127.0.0.1', $port);
    $r->flushAll();
}
equal($r->set('{t}s', 'v'), true);
equal($r->get('{t}s'), 'v');
equal($r->hMSet('{t}h', ['a' => '1', 'b' => '2']), true);
equal($r->hGetAll('{t}h'), ['a' => '1', 'b' => '2']);
equal($r->mSet(array_combine(array_map(fn($i) => "k$i", range(0, 99)), range(0, 99))), true);
equal($r->mGet(array_map(fn($i) => "k$i", range(0, 99))), array_map('strval', range(0, 99)));
equal($r->del(array_map(fn($i) => "k$i", range(50, 99))), 50);
equal($r->multi()->incr('{t}n')->incr('{t}n')->exec(), [1, 2]);
equal($r->eval('return redis.call("get", KEYS[1]) * ARGV[1]', ['{t}n', 2], 1), 4);
equal($r->evalSha(sha1('return 1'), ['{t}n'], 1), false); // NOSCRIPT
equal(strpos($r->getLastError(), 'NOSCRIPT'), 0);
equal($r->blPop(['{t}q'], 1), []);
$r->rPush('{t}q', 'x');
equal($r->blPop(['{t}q'], 1), ['{t}q', 'x']);
equal($r->zAdd('{t}z', 1, 'a', 2, 'b'), 2);
equal($r->zRangeByScore('{t}z', '-inf', '+inf', ['withscores' => true]), ['a' => 1.0, 'b' => 2.0]);

if ($kind !== 'cluster') {
    $answers = $r->pipeline()->set('a', '1')->set('b', '2')->get('a')->get('b')->exec();
    equal($answers, [true, true, '1', '2']);
    $keys = [];
    $it = null;
    $r->setOption(Redis::OPT_SCAN, Redis::SCAN_RETRY);
    while ($found = $r->scan($it, 'k*', 20)) array_push($keys, ...$found);
    equal(count(array_unique($keys)), 50);
    equal($r->dbSize(), 50 + 7 - 1);
    $r->watch('{t}n');
    $other = new Redis();
    $other->connect('127.0.0.1', $port);
    $other->incr('{t}n');
    equal($r->multi()->set('{t}n', '0')->exec(), false);
    equal($r->get('{t}n'), '3');
    if ($kind === 'sharded') { // keys of two shards: as at a cluster's node, an error when a command is queued
        try {
            $r->multi();
            for ($i = 0; $i < 50; $i++) $r->setex(md5("c$i"), 10, '1');
            throw new LogicException('a transaction over shards was queued');
        } catch (RedisException $e) {
            equal(strpos($e->getMessage(), 'CROSSSLOT'), 0);
        }
        $r->close();
        $r->connect('127.0.0.1', $port);
    }
    // Sessions, whose handler locks them with a script.
    ini_set('session.save_handler', 'redis');
    ini_set('session.save_path', "tcp://127.0.0.1:$port");
    ini_set('redis.session.locking_enabled', '1');
} else {
    ini_set('session.save_handler', 'rediscluster');
    ini_set('session.save_path', "seed[]=127.0.0.1:$port");
}
ini_set('session.use_cookies', '0');
ini_set('session.cache_limiter', '');
session_id('one');
session_start();
$_SESSION['n'] = 1;
session_write_close();
$_SESSION = [];
session_id('one');
session_start();
equal($_SESSION['n'] ?? null, 1);
session_destroy();
equal($r->exists('PHPREDIS_SESSION:one'), 0);

// A message, published by another process while this one subscribes.
if (($child = pcntl_fork()) === 0) {
    $p = new Redis();
    $p->connect('127.0.0.1', $port);
    for ($i = 0; $i < 200 && !$p->publish('news', 'hello'); $i++) usleep(20000);
    posix_kill(posix_getpid(), SIGKILL); // no destructors: the sockets are the parent's
}
$heard = null;
$s = new Redis();
$s->connect('127.0.0.1', $port);
$s->setOption(Redis::OPT_READ_TIMEOUT, 10);
try {
    $s->subscribe(['news'], function ($s, $channel, $message) use (&$heard) { $heard = $message; $s->close(); });
} catch (RedisException $e) { // there is no other way out
}
equal($heard, 'hello');
pcntl_waitpid($child, $status);
