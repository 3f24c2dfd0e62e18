// Bull: jobs, jobs for later, a queue that is emptied (KEYS between MULTI and EXEC). Over shards its prefix has a hash tag.
import assert from 'node:assert'
import Queue from 'bull'

const options = { redis: { host: '127.0.0.1', port: Number(process.argv[2]) } }
if (process.argv[3] !== 'single') options.prefix = '{bull}'
const queue = new Queue('q', options)
queue.process(5, async job => job.data.n * 2)
const jobs = await Promise.all(Array.from({ length: 100 }, (_, n) => queue.add({ n }, { delay: n % 10 === 0 ? 200 : 0 })))
assert.deepEqual(await Promise.all(jobs.map(job => job.finished())), Array.from({ length: 100 }, (_, n) => n * 2))
await queue.close()

const full = new Queue('full', options)
await full.addBulk(Array.from({ length: 20 }, (_, n) => ({ data: { n } })))
assert.equal(await full.count(), 20)
await full.empty()
assert.equal(await full.count(), 0)
await full.obliterate({ force: true })
await full.close()
