// ioredis with its default settings, the plain client and the cluster client.
import assert from 'node:assert'
import Redis from 'ioredis'

const port = Number(process.argv[2]), cluster = process.argv[3] === 'cluster'
const connect = () => cluster ? new Redis.Cluster([{ host: '127.0.0.1', port }]) : new Redis(port)
const r = connect(), sub = connect()
await r.flushall()
assert.equal(await r.set('{t}s', 'v'), 'OK')
assert.equal(await r.get('{t}s'), 'v')
await r.hset('{t}h', { a: 1, b: 2 })
assert.deepEqual(await r.hgetall('{t}h'), { a: '1', b: '2' })
const p = r.pipeline()
for (let i = 0; i < 200; i++) p.set('k' + i, i)
assert.equal((await p.exec()).length, 200)
if (!cluster) assert.deepEqual(await r.mget('k1', 'k2', 'k3'), ['1', '2', '3']) // Redis Cluster has each key at another node
assert.deepEqual(await r.multi().incr('{t}n').incr('{t}n').exec(), [[null, 1], [null, 2]])
await r.watch('{t}n')
await sub.incr('{t}n')
assert.equal(await r.multi().set('{t}n', 0).exec(), null)
const heard = new Promise(done => sub.on('message', (c, m) => done(c + m)))
await sub.subscribe('news')
assert.equal(await r.publish('news', '!'), 1)
assert.equal(await heard, 'news!')
const blocked = connect()
const popped = blocked.blpop('{t}q', 5)
await r.rpush('{t}q', 'x')
assert.deepEqual(await popped, ['{t}q', 'x'])
r.defineCommand('twice', { numberOfKeys: 1, lua: "return redis.call('get', KEYS[1]) * 2" })
assert.equal(await r.twice('{t}n'), 6)
const seen = new Set()
for (const node of cluster ? r.nodes('master') : [r]) {
  for await (const keys of node.scanStream({ count: 50 })) keys.forEach(k => seen.add(k))
}
assert.equal(seen.size, await r.dbsize())
const id = await r.client('ID')
await r.client('KILL', 'ID', id, 'SKIPME', 'no')
assert.equal(await r.get('{t}s'), 'v') // reconnects
assert.notEqual(await r.client('ID'), id)
for (const c of [r, sub, blocked]) c.disconnect()
