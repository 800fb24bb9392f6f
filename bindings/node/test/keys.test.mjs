// Keys over HTTP, as JavaScript sees them: promises that share a fetch, the event loop, `fetch` functions. What a
// server can do wrong is played in faults.test.mjs.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { get } from 'node:http'
import { createRequire } from 'node:module'
import { Readable } from 'node:stream'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { inspect } from 'node:util'
import { Worker } from 'node:worker_threads'

import { FetchError, JwtAuthError, Verifier } from 'jwtauth'
import { inherited } from './inherited.mjs'
import { good, keyServer, silent, status } from './key-server.mjs'
import { config, keySet, remote, token } from './tokens.mjs'

const { answer } = createRequire(import.meta.url)('../lib/fetch.js')
const wrongType = { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' }
/** What a request for a key set accepts. */
const accept = 'application/jwk-set+json, application/json;q=0.9, */*;q=0.1'
const unavailable = { name: 'JwtAuthError', class: 'unavailable', code: 'key_source_unavailable', http_status: 503 }
/** Every request fetches, so that no test has to wait until keys expire. */
const always = { cache_ttl: '0s', cool_down: '0s' }

const ask = (verifier, request = {}) => verifier.authenticate({ token: token(), ...request })
const outcomes = (verifier, count) => Promise.all(Array.from({ length: count }, () => ask(verifier).then(() => 'granted', ({ code }) => code)))

describe('a verifier with a key server', () => {
  test('fetches once for all who need keys', async () => {
    const server = await keyServer()
    const verifier = new Verifier(remote(server.url))
    assert.equal(server.requests.length, 0)
    assert.deepEqual(await outcomes(verifier, 100), Array(100).fill('granted'))
    assert.deepEqual(await outcomes(verifier, 100), Array(100).fill('granted'))
    assert.equal(server.requests.length, 1)
  })

  test('decides before the event loop goes on when the keys are there', async () => {
    const server = await keyServer()
    const verifier = new Verifier(remote(server.url))
    await ask(verifier)
    const decided = []
    void ask(verifier).then((grant) => decided.push(grant.identity.name))
    void verifier.authenticate({ token: 'forged' }).catch(({ code }) => decided.push(code))
    void verifier.authenticate({ token: token(), headers: { long: 'x'.repeat(100_000) } }).then(() => decided.push('long'))
    for (let turn = 0; turn < 10; turn += 1) await null
    assert.deepEqual(decided, ['alice', 'token_malformed'])
    while (decided.length < 3) await new Promise(setImmediate)
    assert.deepEqual(decided, ['alice', 'token_malformed', 'long'])
  })

  test('does not delay other calls while the server does not respond', async () => {
    const server = await keyServer(silent)
    const other = new Verifier(config())
    let over = false
    const waiting = outcomes(new Verifier(remote(server.url, { timeout: '60s' })), 100).finally(() => { over = true })
    await server.received(1)
    // These would not return if they waited.
    for (let round = 0; round < 20; round += 1) {
      await ask(other)
      await new Promise(setImmediate)
    }
    assert.ok(!over)
    server.release()
    assert.deepEqual(await waiting, Array(100).fill('granted'))
    assert.equal(server.requests.length, 1)
  })

  test('waits for several servers that hang together, with one request to each', async () => {
    const servers = await Promise.all(Array.from({ length: 7 }, () => keyServer(silent)))
    const verifier = new Verifier(remote(servers.map(({ url }) => url), { timeout: '60s' }))
    let ended = false
    const waiting = outcomes(verifier, 40).finally(() => { ended = true })
    // Each server is asked although no other has answered.
    await Promise.all(servers.map(({ received }) => received(1)))
    // Files are read in Node's pool, which has four threads.
    for (let file = 0; file < 20; file += 1) await readFile(fileURLToPath(import.meta.url))
    assert.ok(!ended)
    for (const server of servers) server.release()
    assert.deepEqual(await waiting, Array(40).fill('granted'))
    assert.deepEqual(servers.map(({ requests }) => requests.length), Array(7).fill(1))
  })

  test('asks several servers together for a refresh, and by a fetch function', async () => {
    const servers = await Promise.all(Array.from({ length: 3 }, () => keyServer(silent)))
    const urls = servers.map(({ url }) => url)
    const options = { fetch: (request) => fetch(request.url, { ...request, redirect: 'manual' }) }
    const refreshed = new Verifier(remote(urls, { timeout: '60s' }), options).refreshKeys()
    await Promise.all(servers.map(({ received }) => received(1)))
    for (const server of servers) server.release()
    assert.deepEqual((await refreshed).map(({ state }) => state), Array(3).fill('fresh'))
  })

  test('continues with the cached keys while a refresh ahead of time is in flight', async () => {
    const server = await keyServer((request, response) => void response.setHeader('cache-control', 'max-age=30').end(keySet))
    const verifier = new Verifier(remote(server.url, { cool_down: '0s' }))
    await ask(verifier)
    server.answer = silent
    const refreshing = verifier.refreshKeys()
    await server.received(2)
    await ask(verifier)
    server.release()
    await refreshing
  })

  test('shares a failure among concurrent calls, even if a retry is allowed immediately', async () => {
    const server = await keyServer(silent)
    const verifier = new Verifier(remote(server.url, { ...always, timeout: '60s' }))
    const waiting = outcomes(verifier, 100)
    await server.received(1)
    server.release(status(500))
    assert.deepEqual(await waiting, Array(100).fill('key_source_unavailable'))
    assert.equal(server.requests.length, 1)
  })

  test('waits no longer than the timeout', async () => {
    const server = await keyServer(silent)
    const verifier = new Verifier(remote(server.url, { timeout: '1s' }))
    await assert.rejects(ask(verifier), { ...unavailable, detail: /: http: the response timed out$/ })
  })

  test('shares a fetch among concurrent calls only, if caching is disabled', async () => {
    const server = await keyServer()
    const verifier = new Verifier(remote(server.url, always))
    assert.deepEqual(await outcomes(verifier, 100), Array(100).fill('granted'))
    assert.equal(server.requests.length, 1)
    await ask(verifier)
    assert.equal(server.requests.length, 2)
  })

  test('finds a key that was added, in the same call', async () => {
    const server = await keyServer((request, response) => response.end(keySet.replace('"own"', '"other"')))
    const verifier = new Verifier({ ...remote(server.url, { cool_down: '0s' }), options: config().options })
    await ask(verifier)
    server.answer = good
    const grant = await verifier.authenticate({ token: token({}, { kid: 'own' }) })
    assert.equal(grant.identity.name, 'alice')
  })

  test('says how its sources are', async () => {
    const server = await keyServer()
    const verifier = new Verifier(config({ keys: [...config().config.keys, { jwks_url: server.url }] }))
    const place = { source: 'keys[1].jwks_url', url: server.url.split('?')[0] }
    assert.deepEqual(verifier.policy().key_status, [
      { source: 'keys[0].pem', state: 'fixed', keys: 1, kids: [] },
      { ...place, state: 'unfetched', keys: 0, kids: [], next_refresh: 0, failing: false, fetches: 0, failures: 0, served_stale: 0, unknown_kid: 0 },
    ])
    const [, fetched] = await verifier.refreshKeys()
    const { next_refresh: next, age, ...rest } = fetched
    assert.ok(next > 0 && age >= 0)
    assert.deepEqual(rest, { ...place, state: 'fresh', keys: 1, kids: ['own'], failing: false, fetches: 1, failures: 0, served_stale: 0, unknown_kid: 0 })
    assert.equal(new Verifier(verifier.policy()).policy().key_status[1].state, 'unfetched')
  })

  test('refreshes its keys, or says which source does not answer', async () => {
    const server = await keyServer(status(500))
    const verifier = new Verifier(remote(server.url))
    const failures = await Promise.all([verifier.refreshKeys(), verifier.refreshKeys()].map((refresh) => refresh.catch((error) => error)))
    for (const error of failures) {
      assert.ok(error instanceof JwtAuthError)
      assert.equal(error.code, 'key_source_unavailable')
      assert.equal(error.sources.length, 1)
      const { phase, status } = error.sources[0].last_failure
      assert.deepEqual({ phase, status }, { phase: 'http', status: 500 })
      assert.doesNotMatch(inspect(error, { depth: null }), /hush/)
    }
    assert.equal(server.requests.length, 1)
    server.answer = good
    assert.equal((await verifier.refreshKeys())[0].state, 'fresh')
    assert.equal(server.requests.length, 2)
  })

  test('uses only the cached keys if the request sets cachedOnly', async () => {
    const server = await keyServer()
    const verifier = new Verifier(remote(server.url))
    const asJson = JSON.stringify({ token: token(), cached_only: true })
    const request = { token: token(), cachedOnly: true }
    const all = [
      () => verifier.authenticateSync(request),
      () => verifier.authenticate(request),
      () => verifier.authenticateJsonSync(asJson),
      () => verifier.authenticateJson(asJson),
    ]
    const outcome = async (call) => call()
    for (const call of all) await assert.rejects(outcome(call), unavailable)
    assert.equal(server.requests.length, 0)
    await ask(verifier, { cachedOnly: undefined })
    for (const call of all) assert.equal((await outcome(call)).identity.name, 'alice')
    for (const wrong of [null, 1, 'true', {}]) await assert.rejects(ask(verifier, { cachedOnly: wrong }), wrongType)
    assert.equal(server.requests.length, 1)
  })
})

describe('a fetch function', () => {
  /** A verifier whose keys come from this function, and what the function was asked. */
  function fetching(fetch, settings = {}) {
    const asked = []
    const verifier = new Verifier(remote('https://issuer.test/keys?secret=hush', { ...always, ...settings }), {
      fetch: (request) => {
        asked.push(request)
        return fetch(request)
      },
    })
    return { verifier, asked }
  }

  test('is asked in place of the built-in client', async () => {
    const { verifier, asked } = fetching(async () => ({ status: 200, body: keySet }), { timeout: '60s', max_bytes: 1000 })
    assert.equal((await ask(verifier)).identity.name, 'alice')
    assert.equal(asked.length, 1)
    const [{ signal, timeoutMs, ...request }] = asked
    assert.deepEqual(request, {
      url: 'https://issuer.test/keys?secret=hush',
      headers: { Accept: accept },
      maxBytes: 1000,
    })
    assert.ok(Number.isInteger(timeoutMs) && timeoutMs > 10_000 && timeoutMs <= 60_000)
    assert.ok(signal instanceof AbortSignal && !signal.aborted)
  })

  test('may be the global fetch', async () => {
    const server = await keyServer((request, response) => {
      if (request.headers['if-none-match'] === '"1"') return response.writeHead(304).end()
      response.setHeader('etag', '"1"').end(keySet)
    })
    const verifier = new Verifier(remote(server.url, always), {
      fetch: (request) => fetch(request.url, { ...request, redirect: 'manual' }),
    })
    await ask(verifier)
    await ask(verifier)
    assert.deepEqual(server.requests.map(({ headers }) => [headers.accept, headers['if-none-match']]), [[accept, undefined], [accept, '"1"']])
    server.answer = (request, response) => void response.writeHead(302, { location: '/elsewhere' }).end()
    await assert.rejects(verifier.refreshKeys(), (error) => error.sources[0].last_failure.status === 302)
    assert.equal(server.requests.length, 3)
    server.answer = (request, response) => void response.destroy()
    await assert.rejects(verifier.refreshKeys(), ({ detail }) => /the `fetch` function failed: TypeError \(UND_ERR_SOCKET\)/.test(detail))
  })

  test('may answer with bodies and headers of every sort', async () => {
    const bodies = [keySet, Buffer.from(keySet), new TextEncoder().encode(keySet), Readable.from([keySet]), Readable.toWeb(Readable.from([Buffer.from(keySet)])), new Blob([keySet]).stream(), new Response(keySet).body]
    for (const body of bodies) {
      await ask(fetching(() => ({ status: 200, body })).verifier)
    }
    const sorts = [new Headers({ etag: '"1"' }), [['ETag', '"1"']], new Map([['etag', '"1"']]), { ETag: ['"1"'], date: undefined }, Object.assign(Object.create(null), { etag: '"1"' })]
    for (const headers of sorts) {
      const { verifier, asked } = fetching(() => ({ status: 200, headers, body: keySet }))
      await ask(verifier)
      await ask(verifier)
      assert.equal(asked[1].headers['If-None-Match'], '"1"', inspect(headers))
    }
  })

  test('that fails is an outage, and its error is known by its name and code', async () => {
    const secret = Object.assign(new Error('https://user:hush@proxy'), { name: 'hush hush', code: 'hush' })
    const table = [
      [new Error('hush'), 'http: the `fetch` function failed: Error'],
      [new TypeError('hush', { cause: Object.assign(new Error('hush'), { code: 'ECONNREFUSED' }) }), 'http: the `fetch` function failed: TypeError (ECONNREFUSED)'],
      [secret, 'http: the `fetch` function failed: Error'],
      ['hush', 'http: the `fetch` function failed'],
      [undefined, 'http: the `fetch` function failed'],
      [new FetchError('dns', 'no such host'), 'dns: no such host'],
      [new FetchError('tls', 'two\nlines', { cause: secret }), 'tls: two lines'],
      [Object.assign(new Error('hush'), { name: Symbol('hush') }), 'http: the `fetch` function failed: Error'],
      [Object.create(FetchError.prototype), 'http: the `fetch` function failed'],
      ...['name', 'code', 'cause'].map((name) => {
        const broken = Object.defineProperty(new Error('hush'), name, { get() { throw new Error('hush') } })
        return [broken, 'http: the `fetch` function failed']
      }),
      [new Proxy(new Error('hush'), { getPrototypeOf() { throw new Error('hush') } }), 'http: the `fetch` function failed'],
    ]
    for (const [thrown, detail] of table) {
      for (const fetch of [async () => { throw thrown }, () => { throw thrown }]) {
        const { verifier } = fetching(fetch)
        await assert.rejects(ask(verifier), (error) => {
          assert.equal(error.code, 'key_source_unavailable')
          assert.equal(error.detail, `\`keys[0].jwks_url\`: https://issuer.test/keys: ${detail}`)
          assert.doesNotMatch(inspect([error, verifier.policy().key_status], { depth: null, showHidden: true }), /hush/)
          return true
        })
      }
    }
    assert.throws(() => new FetchError('dial', 'x'), TypeError)
    assert.throws(() => new FetchError('dns'), TypeError)
  })

  test('that gives no response is told so', async () => {
    const table = [
      [undefined, /gave no response/],
      [keySet, /gave no response/],
      [{ body: keySet }, /gave no response/],
      [{ status: '200', body: keySet }, /gave no response/],
      [{ status: 20, body: keySet }, /the `fetch` function's response: the status must be between 100 and 599/],
      [{ status: 2 ** 32 + 200, body: keySet }, /the status must be between/],
      [{ status: 200, body: { keys: [] } }, /neither text, bytes nor a stream/],
      [{ status: 200, headers: { etag: 1 }, body: keySet }, /the `fetch` function's response: the headers must be/],
      [{ status: 200, body: Readable.from([{}]) }, /the `fetch` function failed: TypeError/],
      [{ status: 404, body: keySet }, /http: status 404/],
      [{ status: 304, body: keySet }, /http: status 304/],
    ]
    for (const [response, detail] of table) {
      await assert.rejects(ask(fetching(async () => response).verifier), (error) => {
        assert.equal(error.code, 'key_source_unavailable')
        assert.match(error.detail, detail)
        return true
      })
    }
    await assert.rejects(ask(fetching(() => ({ status: 200 })).verifier), { code: 'key_set_invalid' })
  })

  test('reads no more of a body than is wanted', async () => {
    let given = 0
    let closed = false
    async function* endless() {
      try {
        for (;;) {
          given += 100
          yield Buffer.alloc(100, ' ')
        }
      } finally {
        closed = true
      }
    }
    await assert.rejects(ask(fetching(() => ({ status: 200, body: endless() }), { max_bytes: 1000 }).verifier), (error) => /larger than/.test(error.detail))
    assert.ok(closed && given < 10_000, `${given}`)
    await assert.rejects(ask(fetching(() => ({ status: 200, body: keySet.padEnd(2000) }), { max_bytes: 1000 }).verifier), unavailable)
  })

  test('leaves no connection open whose response is not used', async () => {
    const server = await keyServer()
    const bodies = []
    const client = ({ url }) =>
      new Promise((resolve, reject) => {
        get(url, (body) => {
          bodies.push(body)
          resolve({ status: body.statusCode, headers: body.headers, body })
        }).on('error', reject)
      })
    const long = Buffer.alloc(300_000, ' ')
    for (const [timeout, answer] of [
      ['60s', (request, response) => void response.writeHead(503).end(long)],
      ['60s', (request, response) => void response.end(long)],
      ['60s', (request, response) => void response.writeHead(503).write('x')],
      ['1s', (request, response) => void response.write('{')],
    ]) {
      server.answer = answer
      await assert.rejects(ask(new Verifier(remote(server.url, { max_bytes: 1000, timeout }), { fetch: client })), unavailable)
    }
    assert.deepEqual(bodies.slice(0, 3).map(({ destroyed }) => destroyed), [true, true, true])
    // The timeout is that of the addon, so the last response may be given up, and even come, a little later.
    for (const { socket } of server.requests) if (!socket.destroyed) await once(socket, 'close')
  })

  /** Gives the answer of a `fetch` function to an exchange, and returns the calls of the exchange. */
  async function exchanged(fetch, settings = {}) {
    const calls = []
    const exchange = { respond: (status) => calls.push(`status ${status}`), fail: (phase, reason) => calls.push(reason) }
    const asked = { url: 'https://issuer.test/keys', headers: {}, timeout_ms: 60_000, max_bytes: 1000, ...settings }
    await answer(fetch, JSON.stringify(asked), exchange)
    // An error of a stream comes later. If it has no listener, it ends the process, or this test.
    for (let turn = 0; turn < 5; turn += 1) await new Promise(setImmediate)
    return calls
  }
  /** A body of each sort that never ends, begins with `text`, and fails while it is closed. */
  const endless = {
    'a stream of Node'(text, onClose) {
      const stream = new Readable({
        read() {},
        destroy(error, done) {
          onClose()
          done(new Error('made by a test'))
        },
      })
      stream.push(text)
      return stream
    },
    'a web stream'(text, onClose) {
      const cancel = async () => {
        onClose()
        throw new Error('made by a test')
      }
      return new ReadableStream({ start: (controller) => controller.enqueue(Buffer.from(text)), cancel })
    },
  }

  for (const [sort, body] of Object.entries(endless)) {
    test(`may respond with ${sort} that is closed in every case, also if that fails`, async () => {
      let closed = 0
      const endless = (text = '{') => body(text, () => { closed += 1 })
      const late = (response) => async ({ signal }) => {
        while (!signal.aborted) await new Promise(setImmediate)
        return response
      }
      const soon = { timeout_ms: 1 }
      const aborted = /^the `fetch` function failed: (AbortError \(ABORT_ERR\)|Error)$/
      const table = [
        [/^status 503$/, () => ({ status: 503, body: endless() })],
        [/^status 304$/, () => ({ status: 304, body: endless() })],
        [/^status 503$/, late({ status: 503, body: endless() }), soon],
        [aborted, late({ status: 200, body: endless() }), soon],
        [/^status 200$/, () => ({ status: 200, body: endless(' '.repeat(1001)) })],
        [/gave no response$/, () => ({ status: '200', body: endless() })],
        [/gave no response$/, late({ body: endless() }), soon],
        [/^the `fetch` function failed: TypeError$/, () => ({ status: 503, headers: { etag: 1n }, body: endless() })],
      ]
      for (const [number, [outcome, fetch, settings]] of table.entries()) {
        assert.match((await exchanged(fetch, settings)).join(), outcome)
        assert.equal(closed, number + 1, `${number}`)
      }
      // The signal fires while the next part of the body is awaited.
      const part = ({ signal }) => {
        void late()({ signal })
        return { status: 200, body: endless() }
      }
      assert.match((await exchanged(part, soon)).join(), aborted)
      assert.equal(closed, table.length + 1)
    })
  }

  test('may respond with a body that the program has read itself', async () => {
    const response = new Response('the keys are away', { status: 503 })
    await response.text()
    assert.deepEqual(await exchanged(() => response), ['status 503'])
    assert.deepEqual(await exchanged(() => ({ status: 503, get body() { throw new Error('made by a test') } })), ['the `fetch` function failed: Error'])
  })

  test('has its time, and what comes later counts for nothing', async () => {
    let answer
    const { verifier, asked } = fetching(() => new Promise((resolve) => { answer = resolve }), { timeout: '1s' })
    await assert.rejects(ask(verifier), (error) => error.code === 'key_source_unavailable' && /gave no answer in time/.test(error.detail))
    const [{ signal }] = asked
    // The signal alone does not keep the process alive, so an event would not be enough.
    while (!signal.aborted) await new Promise(setImmediate)
    answer({ status: 200, body: keySet })
    await new Promise(setImmediate)
    await assert.rejects(ask(verifier, { cachedOnly: true }), unavailable)
    async function* stuck() {
      yield '{'
      await new Promise(() => {})
    }
    await assert.rejects(ask(fetching(() => ({ status: 200, body: stuck() }), { timeout: '1s' }).verifier), unavailable)
  })

  test('is not called by authenticateSync, which says so', async () => {
    const { verifier, asked } = fetching(async () => ({ status: 200, body: keySet }), { cache_ttl: '1h' })
    const asJson = JSON.stringify({ token: token() })
    for (const call of [() => verifier.authenticateSync(token()), () => verifier.authenticateJsonSync(asJson)]) {
      assert.throws(call, (error) => {
        assert.equal(error.code, 'key_source_unavailable')
        assert.match(error.detail, /`authenticateSync` cannot wait for a `fetch` function/)
        return true
      })
    }
    assert.equal(asked.length, 0)
    await ask(verifier)
    assert.equal(verifier.authenticateSync({ token: token() }).identity.name, 'alice')
    assert.throws(() => verifier.authenticateSync({ token: 'forged' }), { code: 'token_malformed' })
  })

  test('may decide requests itself', async () => {
    const other = new Verifier(config())
    const { verifier } = fetching(async () => {
      await ask(other)
      return { status: 200, body: keySet }
    })
    await ask(verifier)
  })

  test('leaves settings of the built-in client without effect, of which the policy warns', () => {
    const { verifier } = fetching(() => {}, { redirects: 1 })
    const { warnings } = verifier.policy()
    const about = warnings.filter(({ message }) => message.includes('redirects'))
    assert.equal(about.length, 1)
  })

  test('is an option, the only one', () => {
    for (const options of [null, 1, [], () => {}, { fetch: null }, { fetch: 'http' }]) {
      assert.throws(() => new Verifier(config(), options), wrongType, inspect(options))
    }
    assert.throws(() => new Verifier(config(), { fecth: fetch }), { name: 'TypeError', code: 'ERR_INVALID_ARG_VALUE', message: /fecth/ })
    for (const options of [undefined, {}, { fetch: undefined }]) new Verifier(config(), options)
  })

  test('is not inherited', async () => {
    const server = await keyServer()
    const verifiers = await inherited({ fetch: () => assert.fail(), onEvent: () => assert.fail() }, () =>
      [undefined, {}, { fetch: undefined }].map((options) => new Verifier(remote(server.url), options)),
    )
    for (const verifier of verifiers) assert.equal((await ask(verifier)).identity.name, 'alice')
  })
})

describe('with a pool of one thread', () => {
  for (const client of ['built-in', 'fetch']) {
    test(`many verifiers wait for the ${client} client, and files and names are looked up meanwhile`, async () => {
      const server = await keyServer(silent)
      const running = child('pool', server.named, client, { UV_THREADPOOL_SIZE: '1' })
      // The server answers only now, so the child looked it up meanwhile.
      await running.said('looked up\n')
      server.release()
      assert.deepEqual(await running.ended, { code: 0, output: 'looked up\ngranted 16\n' })
    })
  }
})

describe('a process', () => {
  for (const client of ['built-in', 'fetch']) {
    test(`ends by itself when nothing is under way with the ${client} client`, async () => {
      const server = await keyServer()
      assert.deepEqual(await child('idle', server.named, client).ended, { code: 0, output: 'granted\n' })
    })

    test(`waits for a decision that is under way with the ${client} client`, async () => {
      const server = await keyServer()
      assert.deepEqual(await child('unawaited', server.named, client).ended, { code: 0, output: 'granted\nnothing is left\n' })
    })

    test(`exits in the middle of a fetch of the ${client} client`, async () => {
      const server = await keyServer(silent)
      const running = child('exit', server.named, client)
      await server.received(1)
      running.stdin.end('now\n')
      assert.deepEqual(await running.ended, { code: 7, output: '' })
    })

    test(`ends worker threads in the middle of a fetch of the ${client} client`, async () => {
      const server = await keyServer(silent)
      for (let round = 0; round < 5; round += 1) {
        const worker = new Worker(new URL('fetching.mjs', import.meta.url), { argv: ['wait', server.named, client, token()] })
        await server.received(round + 1)
        await worker.terminate()
      }
      server.answer = good
      await ask(new Verifier(remote(server.url)))
    })
  }
})

/** Runs a part of fetching.mjs in a separate process. A process that hangs is ended, and its exit code is then a signal. */
function child(part, url, client, environment = {}) {
  const script = fileURLToPath(new URL('fetching.mjs', import.meta.url))
  const running = spawn(process.execPath, [script, part, url, client, token()], {
    env: { ...process.env, ...environment },
    stdio: ['pipe', 'pipe', 'inherit'],
    timeout: 120_000,
  })
  let output = ''
  running.stdout.setEncoding('utf8').on('data', (text) => { output += text })
  const ended = once(running, 'close').then(([code, signal]) => ({ code: code ?? signal, output }))
  /** Waits until it has written this text, or has ended. */
  const said = async (text) => {
    let over = false
    while (!output.includes(text) && !over) {
      await Promise.race([once(running.stdout, 'data'), ended.then(() => { over = true })])
    }
  }
  return { ended, said, stdin: running.stdin }
}
