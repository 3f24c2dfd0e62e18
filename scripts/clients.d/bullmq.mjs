// BullMQ: jobs, with its own scripts, blocking commands and streams. All keys of a queue live on one shard by the
// hash tag in its prefix.
import assert from 'node:assert'
import { Queue, Worker, QueueEvents } from 'bullmq'

const connection = { host: '127.0.0.1', port: Number(process.argv[2]), maxRetriesPerRequest: null }
const prefix = '{jobs}'
const queue = new Queue('q', { connection, prefix }), events = new QueueEvents('q', { connection, prefix })
await events.waitUntilReady()
const worker = new Worker('q', async job => job.data.n * 2, { connection, prefix, concurrency: 5 })
const jobs = await queue.addBulk(Array.from({ length: 100 }, (_, n) => ({ name: 'double', data: { n } })))
const results = await Promise.all(jobs.map(j => j.waitUntilFinished(events, 20000)))
assert.deepEqual(results, Array.from({ length: 100 }, (_, n) => n * 2))
await Promise.all([worker.close(), events.close()])
await queue.close()
