// Sessions in stores: shared by threads and processes, and what happens while a store does not respond.
import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { Worker } from 'node:worker_threads'

import { Sessions } from 'jwtauth'
import { config, token } from './tokens.mjs'

const script = fileURLToPath(new URL('session-parts.mjs', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'jwtauth-sessions-'))
after(() => rmSync(folder, { recursive: true }))

const settings = (store, session = { ttl: '1h' }) => ({ ...config({ session }), sessions: { store } })
const sqlite = (name, session) => settings({ sqlite: { path: join(folder, name), timeout: '10m' } }, session)

/** Runs a part of the script in another process, and returns what it printed. */
async function part(...args) {
  const { stdout } = await promisify(execFile)(process.execPath, [script, ...args])
  return stdout
}

/** Runs a part of the script in a thread, and returns its message. */
async function thread(...workerData) {
  const [message] = await once(new Worker(script, { workerData }), 'message')
  return message
}

/** Spends the uses of a session in two processes and two threads and here, together: exactly so many pass. */
async function spend(given) {
  const sessions = new Sessions(given)
  const { token: held } = await sessions.login(token())
  const text = JSON.stringify(given)
  const here = Promise.allSettled(Array.from({ length: 50 }, () => sessions.authorize(held)))
  const others = await Promise.all([part, part, thread, thread].map((run) => run('spend', text, held, '50')))
  const passed = others.map((result) => {
    const [count, ...codes] = JSON.parse(result)
    assert.ok(codes.every((code) => code === 'session_unknown'), codes.join())
    return count
  })
  passed.push((await here).filter(({ status }) => status === 'fulfilled').length)
  assert.equal(passed.reduce((sum, count) => sum + count), 100, passed.join())
}

/** A server that accepts connections and never responds, until it is ended. */
async function silent() {
  const sockets = []
  const server = createServer((socket) => sockets.push(socket.on('error', () => {})))
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const end = () => {
    server.close()
    for (const socket of sockets) socket.destroy()
  }
  after(end)
  return { end, server, url: `redis://127.0.0.1:${server.address().port}` }
}

describe('sessions in SQLite', () => {
  test('are shared by processes and threads, and each use is counted once', () => spend(sqlite('uses.db', { ttl: '1h', num_uses: 100 })))

  test('are kept for a process that starts later, and a logout ends them in all', async () => {
    const given = sqlite('later.db')
    const { token: held } = await new Sessions(given).login(token())
    assert.equal(await part('spend', JSON.stringify(given), held, '3'), '[3]\n')
    const sessions = new Sessions(given)
    await sessions.revoke(held)
    assert.equal(await part('spend', JSON.stringify(given), held, '1'), '[0,"session_unknown"]\n')
  })

  test('keep the process alive until a call that is not awaited has its result', async () => {
    assert.equal(await part('unawaited', JSON.stringify(sqlite('unawaited.db')), token()), 'alice\nnothing is left\n')
  })
})

describe('sessions in Redis', () => {
  test('are shared by processes and threads, and each use is counted once', async () => {
    const socket = join(folder, 'redis.sock')
    const server = spawn('redis-server', ['--port', '0', '--unixsocket', socket, '--dir', folder, '--save', '', '--appendonly', 'no'])
    after(() => server.kill('SIGKILL'))
    for await (const line of createInterface(server.stdout)) if (/ready to accept connections/i.test(line)) break
    const given = settings({ redis: { socket, timeout: '60s' } }, { ttl: '1h', num_uses: 100 })
    await spend(given)
    const sessions = new Sessions(given)
    const { token: held } = await sessions.login(token())
    server.kill('SIGKILL')
    await once(server, 'exit')
    await assert.rejects(sessions.authorize(held), { class: 'unavailable', code: 'store_unavailable', stage: 'session' })
    await assert.rejects(sessions.login(token()), { class: 'unavailable', code: 'store_unavailable' })
  })

  test('that does not respond block neither the event loop nor the pool', async () => {
    const { end, server, url } = await silent()
    const sessions = new Sessions(settings({ redis: { url, timeout: '60s' } }))
    let over = 0
    const waiting = Array.from({ length: 40 }, () => sessions.authorize('jas.x').catch(({ code }) => code).finally(() => { over += 1 }))
    await once(server, 'connection')
    // Files are read in Node's pool, which has four threads.
    for (let file = 0; file < 20; file += 1) await readFile(script)
    for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate)
    // Another store has other threads.
    assert.equal((await new Sessions(config()).login(token())).session.subject, 'alice')
    assert.equal(over, 0)
    end()
    assert.deepEqual(new Set(await Promise.all(waiting)), new Set(['store_unavailable']))
  })

  test('that does not respond makes a call fail at once if ten thousand wait', async () => {
    const { end, url } = await silent()
    const sessions = new Sessions(settings({ redis: { url, timeout: '60s' } }))
    const detail = '10000 calls wait for the store already'
    const calls = Array.from({ length: 10_017 }, () => sessions.authorize('jas.x').catch((error) => error))
    const first = await Promise.race(calls)
    assert.deepEqual([first.class, first.code, first.detail], ['unavailable', 'store_unavailable', detail])
    assert.equal(JSON.parse(await sessions.callJson('lookup', '{"token":"jas.x"}')).detail, detail)
    end()
    const outcomes = await Promise.all(calls)
    assert.ok(outcomes.every(({ code }) => code === 'store_unavailable'))
    assert.ok(outcomes.filter((error) => error.detail === detail).length <= 17)
  })

  test('that does not respond can be left: the thread that waits is ended', async () => {
    assert.equal(await part('ended', JSON.stringify(settings({ redis: { url: 'redis://127.0.0.1:1', timeout: '60s' } }))), 'ended\n')
  })
})
