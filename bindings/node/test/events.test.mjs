// Events and counters: each decision and each fetch is reported once, in order; what the function throws changes nothing.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { describe, test } from 'node:test'
import { inspect } from 'node:util'

import { FetchError, Verifier } from 'jwtauth'
import { config, keySet, remote, token } from './tokens.mjs'

const URL = 'https://issuer.test/keys'

/** A verifier, and the events that it reports. */
function observed(text, options = {}) {
  const events = []
  return { events, verifier: new Verifier(text, { ...options, onEvent: (event) => events.push(event) }) }
}

const shown = (events) => events.map(({ event, outcome }) => `${event} ${outcome}`)

describe('events', () => {
  test('each call reports its decision before it has its result', async () => {
    const { events, verifier } = observed(config())
    const secret = token({ sub: 'a very private name' })
    verifier.authenticateSync(secret)
    assert.equal(events.length, 1)
    assert.throws(() => verifier.authenticateSync('a.b.c'))
    await verifier.authenticate(secret)
    await verifier.authenticateJson(JSON.stringify({ token: secret }))
    await verifier.explain('a.b.c')
    verifier.explainSync(secret)
    // A request that takes long to read is decided on a thread.
    await assert.rejects(verifier.authenticate('x'.repeat(200_000)))
    const outcomes = ['granted', 'denied', 'granted', 'granted', 'denied', 'granted', 'denied']
    assert.deepEqual(shown(events), outcomes.map((outcome) => `decision ${outcome}`))
    assert.deepEqual(events.map(({ explained }) => explained), [false, false, false, false, true, true, false])
    assert.equal(events[1].code, 'token_malformed')
    assert.ok(events.every(Object.isFrozen))
    assert.doesNotMatch(JSON.stringify(events), /private/)
    await assert.rejects(verifier.authenticate(7), TypeError)
    assert.equal(events.length, 7)
  })

  test('a batch reports every token', async () => {
    const { events, verifier } = observed(config())
    await verifier.authenticateMany(Array(100).fill([token(), 'a.b.c']).flat(), { threads: 3 })
    assert.equal(events.filter(({ outcome }) => outcome === 'granted').length, 100)
    assert.equal(events.length, 200)
  })

  test('fetches are reported before the decisions that wait for them', async () => {
    const { events, verifier } = observed(remote(URL), { fetch: () => ({ status: 200, body: keySet }) })
    await Promise.all([verifier.authenticate(token()), verifier.authenticate(token())])
    assert.deepEqual(shown(events), ['fetch fetched', 'decision granted', 'decision granted'])
    assert.deepEqual([events[0].keys, events[0].source, events[0].level], [1, 'keys[0].jwks_url', 'info'])
    events.length = 0
    await verifier.refreshKeys()
    assert.deepEqual(shown(events), ['fetch fetched'])
  })

  test('failed fetches are reported with their phase', async () => {
    const fetch = () => {
      throw new FetchError('connect', 'the proxy is down')
    }
    const { events, verifier } = observed(remote(URL), { fetch })
    await assert.rejects(verifier.authenticate(token()), { class: 'unavailable' })
    assert.deepEqual(shown(events), ['fetch failed', 'decision unavailable'])
    assert.deepEqual([events[0].phase, events[0].code, events[1].level], ['connect', 'key_source_unavailable', 'error'])
  })

  test('a batch may report more events than a call has arguments', async () => {
    const { events, verifier } = observed(config())
    const outcomes = await verifier.authenticateMany(Array(150_000).fill('x'))
    assert.equal(outcomes.length, 150_000)
    assert.equal(events.length, 150_000)
  })

  test('the function may decide, and its events follow', async () => {
    const seen = []
    const verifier = new Verifier(config(), {
      onEvent({ outcome }) {
        seen.push(outcome)
        if (seen.length === 1) {
          assert.throws(() => verifier.authenticateSync('a.b.c'))
          seen.push('after')
        }
      },
    })
    await verifier.authenticate(token())
    assert.deepEqual(seen, ['granted', 'after', 'denied'])
  })

  for (const [name, fail, message = /made by a test/] of [
    ['throws', () => { throw new RangeError('made by a test') }],
    ['throws a text', () => { throw 'made by a test' }],
    ['throws what cannot be shown', () => { throw { [inspect.custom]() { throw new Error('not shown') } } }, /cannot be shown/],
    ...['name', 'code', 'message', 'stack'].map((name) => [
      `throws an error whose ${name} cannot be shown`,
      () => { throw Object.defineProperty(new Error('made by a test'), name, { value: Symbol(name) }) },
      /cannot be shown/,
    ]),
    ['throws an error that throws', () => { throw Object.defineProperty(new Error('made by a test'), 'code', { get() { throw new Error() } }) }, /cannot be shown/],
    ['rejects', async () => { throw new RangeError('made by a test') }],
  ]) {
    test(`a function that ${name} changes no decision and causes a warning`, async () => {
      let events = 0
      const onEvent = () => {
        events += 1
        return fail()
      }
      const verifier = new Verifier(config(), { onEvent })
      for (const number of [1, 2]) {
        const warned = once(process, 'warning')
        assert.equal((await verifier.authenticate(token())).identity.name, 'alice')
        const [warning] = await warned
        assert.match(warning.message, message)
        assert.equal(events, number)
      }
    })
  }

  test('only a function is accepted', () => {
    assert.throws(() => new Verifier(config(), { onEvent: 1 }), { code: 'ERR_INVALID_ARG_TYPE' })
    assert.throws(() => new Verifier(config(), { onEvents: () => {} }), { code: 'ERR_INVALID_ARG_VALUE' })
    new Verifier(config(), { onEvent: undefined })
  })
})

test('decisions are counted, also without a function', async () => {
  const verifier = new Verifier(remote(URL), { fetch: () => ({ status: 200, body: keySet }) })
  await verifier.authenticate(token())
  await verifier.authenticateMany([token(), 'a.b.c', 'a.b.c'])
  assert.deepEqual(verifier.counters(), {
    granted: 2,
    denied: { token_malformed: 2 },
    unavailable: {},
    token_cache_hits: 0,
    sources: [{ source: 'keys[0].jwks_url', fetches: 1, failures: 0 }],
  })
})
