<?php
// Laravel's Redis components with phpredis and with Predis: cache with tags, locks, rate limits, queue, pipelines. Over shards a
// queue's name has braces, as Laravel wants for clusters.
require 'Illuminate/Redis/autoload.php';
require 'Illuminate/Cache/autoload.php';
require 'Illuminate/Queue/autoload.php';
require 'Predis/autoload.php';
use Illuminate\Cache\RateLimiter, Illuminate\Cache\RedisStore, Illuminate\Cache\Repository;
use Illuminate\Container\Container;
use Illuminate\Queue\RedisQueue;
use Illuminate\Redis\RedisManager;

[, $port, $kind] = $argv;
function equal($got, $want) {
    if ($got !== $want) throw new Exception('got ' . var_export($got, true) . ', want ' . var_export($want, true));
}

foreach (['phpredis', 'predis'] as $client) {
    $redis = new RedisManager(new Container, $client, ['default' => ['host' => '127.0.0.1', 'port' => $port, 'database' => 0]]);
    $redis->connection()->flushall();
    $cache = new Repository($store = new RedisStore($redis, 'laravel_cache:', 'default'));
    equal($cache->put('a', ['x' => 1], 60), true);
    equal($cache->get('a'), ['x' => 1]);
    equal($cache->add('a', 2, 60), false);
    equal($cache->add('b', 2, 60), true);
    equal($cache->increment('n', 5), 5);
    $many = array_combine(array_map(fn($i) => md5("k$i"), range(0, 20)), range(0, 20));
    if ($kind === 'single') equal($cache->putMany($many, 60), true); // MULTI over all keys
    else foreach ($many as $k => $v) $cache->put($k, $v, 60);
    equal(array_map('intval', $cache->many(array_keys($many))), $many);
    equal($cache->remember('r', 60, fn() => 'made'), 'made');
    foreach ([1, 2, 3] as $i) $cache->tags(['people', "group$i"])->put("person$i", $i, 60);
    equal((int) $cache->tags(['people', 'group2'])->get('person2'), 2);
    $cache->tags('group2')->flush();
    equal($cache->tags(['people', 'group2'])->get('person2'), null);
    $cache->tags('people')->flush();
    equal($cache->tags(['people', 'group3'])->get('person3'), null);
    $lock = $store->lock('lock', 10);
    equal($lock->get(), true);
    equal($store->lock('lock', 10)->get(), false);
    equal($lock->release(), true);
    $limiter = new RateLimiter($cache);
    equal([$limiter->hit('user', 60), $limiter->hit('user', 60), $limiter->tooManyAttempts('user', 2)], [1, 2, true]);
    $ran = 0;
    $redis->connection()->throttle('throttle')->allow(2)->every(60)->then(function () use (&$ran) { $ran++; }, fn() => null);
    $redis->connection()->funnel('funnel')->limit(1)->then(function () use (&$ran) { $ran++; }, fn() => null);
    equal($ran, 2);
    equal(count($redis->connection()->pipeline(function ($p) { for ($i = 0; $i < 100; $i++) $p->set("p$i", $i); })), 100);
    equal(count($redis->connection()->transaction(function ($t) { $t->incr('{t}n'); $t->incr('{t}m'); })), 2);

    $queue = new RedisQueue($redis, $kind === 'single' ? 'default' : '{default}', null, 60, 2);
    $queue->setContainer(new Container);
    $queue->pushRaw(json_encode(['id' => '1', 'attempts' => 0, 'job' => 'first', 'data' => []]));
    $queue->setConnectionName('redis');
    $queue->push('second', ['n' => 2]);
    $queue->later(1, 'third', []);
    equal($queue->size(), 3);
    $names = [];
    for ($i = 0; count($names) < 3 && $i < 10; $i++) {
        if (!($job = $queue->pop())) continue; // after a wait in BLPOP
        $names[] = $job->getName();
        equal($job->attempts(), 1);
        $job->delete();
    }
    equal($names, ['first', 'second', 'third']);
    equal($queue->size(), 0);
    $queue->push('fourth', []);
    $queue->pop()->release(0);
    equal($queue->pop()->attempts(), 2);
}
