// Many tokens in one call: each outcome is that of the token alone.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { FetchError, Grant, JwtAuthError, Verifier } from 'jwtauth'
import { keyServer, silent } from './key-server.mjs'
import { config, keySet, remote, token } from './tokens.mjs'

const verifier = new Verifier(config({ profiles: { office: { bound_cidrs: ['10.0.0.0/8'] } } }))
const some = [token(), 'a.b.c', '', token({ sub: 'bob' }), '\ud800', token({ aud: 'other' }), '{"token":"x"}']
const several = Array(20).fill(some).flat()

/** The outcome of each token alone, without stacks. */
const alone = (verifier, tokens, options) => Promise.allSettled(tokens.map((token) => verifier.authenticate({ ...options, token })))
const shown = (outcomes) => outcomes.map(({ status, value, reason }) => ({ status, json: value?.json, reason: reason && { ...reason } }))
const statuses = (outcomes) => outcomes.map(({ status }) => status)

describe('a batch', () => {
  test('has the outcome of each token alone, in their order', async () => {
    // A token alone as text, and not as a member: errors can have a hint about that.
    const expected = shown(await Promise.allSettled(several.map((token) => verifier.authenticate(token))))
    for (const threads of [undefined, 1, 3, Number.MAX_SAFE_INTEGER]) {
      const outcomes = await verifier.authenticateMany(several, { threads })
      assert.deepEqual(shown(outcomes), expected)
      assert.ok(outcomes[0].value instanceof Grant && outcomes[1].reason instanceof JwtAuthError)
      assert.deepEqual(Object.keys(outcomes[0]), ['status', 'value'])
      assert.deepEqual(Object.keys(outcomes[1]), ['status', 'reason'])
    }
  })

  test('has options for all tokens', async () => {
    for (const options of [{ profile: 'office' }, { profile: 'office', remoteAddr: '10.1.2.3' }, { profile: '\ud800' }, { cachedOnly: true }]) {
      const tokens = several.filter((token) => !token.startsWith('{'))
      assert.deepEqual(shown(await verifier.authenticateMany(tokens, options)), shown(await alone(verifier, tokens, options)))
    }
  })

  test('takes any iterable', async () => {
    const tokens = [token(), 'x']
    for (const given of [tokens, new Set(tokens), tokens.values()]) {
      assert.deepEqual(statuses(await verifier.authenticateMany(given)), ['fulfilled', 'rejected'])
    }
    assert.deepEqual(await verifier.authenticateMany([]), [])
  })

  test('is refused before any decision if an argument is wrong', async () => {
    let fetches = 0
    const asking = new Verifier(remote('https://issuer.test/keys'), { fetch: () => { fetches += 1 } })
    for (const tokens of [undefined, null, 1, {}, token(), [token(), 1], [token(), undefined]]) {
      await assert.rejects(asking.authenticateMany(tokens), { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' })
    }
    for (const options of [null, 1, [], { profile: 1 }, { remoteAddr: 1 }, { cachedOnly: 1 }]) {
      await assert.rejects(asking.authenticateMany([token()], options), { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' })
    }
    for (const threads of [0, -1, 1.5, NaN, '2']) {
      await assert.rejects(asking.authenticateMany([token()], { threads }), { code: 'ERR_INVALID_ARG_VALUE' })
    }
    await assert.rejects(asking.authenticateMany([token()], { url: '/' }), { code: 'request_invalid', detail: /`url` is not known/ })
    assert.equal(fetches, 0)
  })

  test('fetches once for all tokens, and lets other calls run meanwhile', async () => {
    const server = await keyServer(silent)
    const waiting = new Verifier(remote(server.url, { timeout: '60s' })).authenticateMany(Array(50).fill([token(), 'x']).flat())
    await server.received(1)
    assert.equal((await verifier.authenticate(token())).identity.name, 'alice')
    server.release()
    assert.deepEqual(statuses(await waiting), Array(50).fill(['fulfilled', 'rejected']).flat())
    assert.equal(server.requests.length, 1)
  })

  test('fetches with a `fetch` function', async () => {
    let fetches = 0
    const fetch = async () => {
      fetches += 1
      return { status: 200, body: keySet }
    }
    const outcomes = await new Verifier(remote('https://issuer.test/keys'), { fetch }).authenticateMany(Array(50).fill(token()))
    assert.deepEqual(statuses(outcomes), Array(50).fill('fulfilled'))
    assert.equal(fetches, 1)
  })

  test('has failures where keys cannot be fetched, and only there', async () => {
    const fetch = () => { throw new FetchError('dns', 'no such host') }
    const [first, malformed, last] = await new Verifier(remote('https://issuer.test/keys'), { fetch }).authenticateMany([token(), 'x', token()])
    for (const { reason } of [first, last]) {
      assert.equal(reason.code, 'key_source_unavailable')
      assert.match(reason.detail, /no such host/)
    }
    assert.equal(malformed.reason.code, 'token_malformed')
  })

  test('shares a fetch with other calls', async () => {
    const server = await keyServer(silent)
    const shared = new Verifier(remote(server.url, { timeout: '60s' }))
    const waiting = [shared.authenticateMany([token()]), shared.authenticate(token()), shared.authenticateMany([token(), token()])]
    await server.received(1)
    server.release()
    await Promise.all(waiting)
    assert.equal(server.requests.length, 1)
  })
})
