// node-redis with its default settings.
import assert from 'node:assert'
import { createClient } from 'redis'

const url = 'redis://127.0.0.1:' + process.argv[2]
const r = await createClient({ url }).connect(), sub = await createClient({ url }).connect()
await r.flushAll()
await r.set('{t}s', 'v')
assert.equal(await r.get('{t}s'), 'v')
await r.hSet('{t}h', { a: '1', b: '2' })
assert.deepEqual({ ...(await r.hGetAll('{t}h')) }, { a: '1', b: '2' })
await Promise.all(Array.from({ length: 200 }, (_, i) => r.set('k' + i, String(i))))
assert.deepEqual(await r.mGet(['k1', 'k2', 'k3']), ['1', '2', '3'])
assert.deepEqual(await r.multi().incr('{t}n').incr('{t}n').exec(), [1, 2])
const heard = new Promise(done => sub.subscribe('news', (m, c) => done(c + m)).then(() => r.publish('news', '!')))
assert.equal(await heard, 'news!')
const blocked = await createClient({ url }).connect()
const popped = blocked.blPop('{t}q', 5)
await r.rPush('{t}q', 'x')
assert.equal((await popped).element, 'x')
assert.equal(await r.eval("return redis.call('get', KEYS[1]) * 2", { keys: ['{t}n'] }), 4)
let seen = new Set()
for await (const keys of r.scanIterator({ COUNT: 50 })) [].concat(keys).forEach(k => seen.add(k))
assert.equal(seen.size, await r.dbSize())
for (const c of [r, sub, blocked]) c.destroy()
