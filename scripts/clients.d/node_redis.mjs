// node-redis with its default settings, the plain client and the cluster client.
import assert from 'node:assert'
import { createClient, createCluster, defineScript, WatchError } from 'redis'

const url = 'redis://127.0.0.1:' + process.argv[2], cluster = process.argv[3] === 'cluster'
const double = defineScript({
  SCRIPT: "return redis.call('get', KEYS[1]) * 2", NUMBER_OF_KEYS: 1,
  parseCommand: (parser, key) => parser.pushKey(key), transformReply: n => n,
})
const scripts = { double }
const connect = () => (cluster ? createCluster({ rootNodes: [{ url }], scripts }) : createClient({ url, scripts })).connect()
const r = await connect(), sub = await connect()
const node = cluster ? await r.nodeClient(r.masters[0]) : r // commands without a key, of which the cluster client has few
for (const c of [r, node]) c.on('error', () => {}) // the connection that is killed below
await node.flushAll()
await r.set('{t}s', 'v')
assert.equal(await r.get('{t}s'), 'v')
await r.hSet('{t}h', { a: '1', b: '2' })
assert.deepEqual({ ...(await r.hGetAll('{t}h')) }, { a: '1', b: '2' })
await Promise.all(Array.from({ length: 200 }, (_, i) => r.set('k' + i, String(i))))
assert.deepEqual(await r.mGet(['k1', 'k2', 'k3']), ['1', '2', '3'])
assert.deepEqual(await r.multi().incr('{t}n').incr('{t}n').exec(), [1, 2])
await node.watch('{t}n')
await sub.incr('{t}n')
await assert.rejects(node.multi().set('{t}n', '0').exec(), WatchError)
const heard = new Promise(done => sub.subscribe('news', (m, c) => done(c + m)).then(() => r.publish('news', '!')))
assert.equal(await heard, 'news!')
const blocked = await connect()
const popped = blocked.blPop('{t}q', 5)
await r.rPush('{t}q', 'x')
assert.equal((await popped).element, 'x')
for (const _ of [1, 2]) assert.equal(await r.double('{t}n'), 6)
const seen = new Set()
for (const one of cluster ? await Promise.all(r.masters.map(m => r.nodeClient(m))) : [r]) {
  for await (const keys of one.scanIterator({ COUNT: 50 })) [].concat(keys).forEach(k => seen.add(k))
}
assert.equal(seen.size, await node.dbSize())
const id = await node.clientId()
await node.sendCommand(['CLIENT', 'KILL', 'ID', String(id), 'SKIPME', 'no'])
await r.get('{t}s').catch(() => {}) // lost with the connection if it was under way
assert.equal(await r.get('{t}s'), 'v') // reconnects
for (const c of [r, sub, blocked]) c.destroy()
