<?php
// Symfony's cache with tags and its locks. RedisTagAwareAdapter has scripts delete keys that they are given as arguments: over shards
// all keys need one hash tag, which phpredis can put in front of them. The nodes of a cluster refuse such keys, and the adapter then
// deletes them itself. TagAwareAdapter does without scripts.
spl_autoload_register(function ($class) { @include '/usr/share/php/' . strtr($class, '\\', '/') . '.php'; });
require 'Symfony/Component/Cache/autoload.php';
require 'Symfony/Component/Lock/autoload.php';
use Symfony\Component\Cache\Adapter\{RedisAdapter, RedisTagAwareAdapter, TagAwareAdapter};
use Symfony\Component\Lock\{LockFactory, Store\RedisStore};

[, $port, $kind] = $argv;
function equal($got, $want) {
    if ($got !== $want) throw new Exception('got ' . var_export($got, true) . ', want ' . var_export($want, true));
}

$redis = RedisAdapter::createConnection("redis://127.0.0.1:$port");
$redis->flushAll();
$cache = new RedisAdapter($redis, 'app');
equal($cache->get('a', fn() => 'made'), 'made');
equal($cache->get('a', fn() => 'made again'), 'made');
for ($i = 0; $i < 30; $i++) $cache->saveDeferred($cache->getItem("k$i")->set($i));
equal($cache->commit(), true);
equal(array_sum(array_map(fn($item) => $item->get(), iterator_to_array($cache->getItems(array_map(fn($i) => "k$i", range(0, 29)))))), 435);
equal($cache->deleteItems(array_map(fn($i) => "k$i", range(0, 9))), true);
equal($cache->hasItem('k0'), false);
equal($cache->clear(), true); // SCAN, or KEYS, and DEL
equal($cache->hasItem('k20'), false);

$one = RedisAdapter::createConnection("redis://127.0.0.1:$port");
if ($kind !== 'single' && getenv('CLIENTS_BEHIND') !== 'cluster') $one->setOption(Redis::OPT_PREFIX, '{app}');
foreach ([new RedisTagAwareAdapter($one, 'tagged'), new TagAwareAdapter(new RedisAdapter($redis, 'versions'))] as $tagged) {
    for ($i = 0; $i < 30; $i++) $tagged->get("v$i", fn($item) => $item->tag($i % 2 ? 'odd' : 'even')->set($i)->get());
    equal($tagged->hasItem('v1'), true);
    equal($tagged->invalidateTags(['odd']), true);
    for ($i = 0; $i < 30; $i++) equal($tagged->hasItem("v$i"), $i % 2 === 0);
}

$locks = new LockFactory(new RedisStore($redis));
$lock = $locks->createLock('job', 10);
equal($lock->acquire(), true);
equal($locks->createLock('job', 10)->acquire(), false);
$lock->refresh(20);
$lock->release();
equal($locks->createLock('job', 10)->acquire(), true);
$read = [$locks->createLock('shared', 10), $locks->createLock('shared', 10)];
equal([$read[0]->acquireRead(), $read[1]->acquireRead(), $locks->createLock('shared', 10)->acquire()], [true, true, false]);
