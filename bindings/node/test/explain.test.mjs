// Explanations: the decision of `authenticate`, with the checks that led to it.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { inspect } from 'node:util'

import { Explanation, FetchError, Verifier } from 'jwtauth'
import { inherited } from './inherited.mjs'
import { config, keySet, remote, token } from './tokens.mjs'

const verifier = new Verifier(config({ profiles: { office: { bound_cidrs: ['10.0.0.0/8'] } } }))
const tokens = [token(), 'a.b.c', '', token({ sub: 7 }), '\ud800', token({ aud: 'other' }), '{"token":"x"}']

const shown = ({ status, value, reason }) => ({ status, json: value?.json, reason: reason && { ...reason } })
const outcome = async (call) => shown((await Promise.allSettled([new Promise((resolve) => resolve(call()))]))[0])
const values = ({ steps }) => steps.filter(({ seen }) => seen?.value !== undefined).length

describe('an explanation', () => {
  test('has the decision of the request in all forms', async () => {
    for (const one of tokens) {
      const expected = await outcome(() => verifier.authenticate(one))
      for (const explained of [await verifier.explain(one), verifier.explainSync(one, { showValues: true })]) {
        assert.ok(explained instanceof Explanation)
        assert.deepEqual(shown(explained.decision), expected)
        assert.deepEqual(JSON.parse(JSON.stringify(explained)), JSON.parse(explained.json))
        assert.equal(explained.steps.some(({ outcome }) => outcome === 'failed'), expected.status === 'rejected')
      }
    }
    for (const request of [{ profile: 'office' }, { profile: 'office', remoteAddr: '10.1.2.3' }, { profile: '\ud800' }, { cachedOnly: true }]) {
      const asked = { ...request, token: token() }
      const expected = await outcome(() => verifier.authenticate(asked))
      assert.deepEqual(shown((await verifier.explain(asked)).decision), expected)
      assert.deepEqual(shown(verifier.explainSync(asked).decision), expected)
    }
  })

  test('shows values only on request', async () => {
    const secret = token({ sub: 'a very private name', exp: 1 })
    for (const explained of [await verifier.explain(secret), verifier.explainSync(secret), verifier.explainJsonSync(JSON.stringify({ token: secret }))]) {
      assert.equal(explained.decision.status, 'rejected')
      assert.equal(values(explained), 0)
      assert.doesNotMatch(explained.json + inspect(explained), /very private/)
    }
    await inherited({ showValues: true }, async () => {
      for (const options of [undefined, {}]) {
        assert.equal(values(await verifier.explain(secret, options)), 0)
        assert.equal(values(verifier.explainSync(secret, options)), 0)
      }
    })
    assert.notEqual(values(await verifier.explain(secret, { showValues: true })), 0)
    assert.notEqual(values(await verifier.explainJson(JSON.stringify({ token: secret }), { showValues: true })), 0)
  })

  test('is frozen, and only a verifier creates it', () => {
    const explained = verifier.explainSync(token())
    assert.ok([explained, explained.decision, explained.steps, explained.steps[0]].every(Object.isFrozen))
    assert.throws(() => new Explanation({}, {}, '{}'), TypeError)
    assert.deepEqual(explained.hints, [])
  })

  test('explains a text that is not a request', async () => {
    for (const text of ['{', '\ud800', '{"tokn":"x"}']) {
      const expected = await outcome(() => verifier.authenticateJson(text))
      for (const explained of [await verifier.explainJson(text), verifier.explainJsonSync(text)]) {
        assert.deepEqual(shown(explained.decision), expected)
        assert.deepEqual(explained.steps.map(({ outcome }) => outcome), ['failed'])
      }
    }
  })

  test('refuses wrong arguments', async () => {
    for (const request of [undefined, 1, [], { token: 1 }]) {
      await assert.rejects(verifier.explain(request), { code: 'ERR_INVALID_ARG_TYPE' })
      assert.throws(() => verifier.explainSync(request), { code: 'ERR_INVALID_ARG_TYPE' })
    }
    for (const options of [null, 1, { showValues: 1 }]) {
      await assert.rejects(verifier.explain('x', options), { code: 'ERR_INVALID_ARG_TYPE' })
      assert.throws(() => verifier.explainJsonSync('{}', options), { code: 'ERR_INVALID_ARG_TYPE' })
    }
    await assert.rejects(verifier.explain('x', { show_values: true }), { code: 'ERR_INVALID_ARG_VALUE' })
    await assert.rejects(verifier.explain({ tokn: 'x' }), { code: 'request_invalid' })
  })

  test('fetches keys outside the event loop', async () => {
    let calls = 0
    const fetch = () => {
      calls += 1
      return { status: 200, body: keySet }
    }
    const asking = new Verifier(remote('https://issuer.test/keys'), { fetch })
    assert.equal((await asking.explain({ token: token(), cachedOnly: true })).decision.reason.code, 'key_source_unavailable')
    const { reason } = asking.explainSync(token()).decision
    assert.match(reason.detail, /`explainSync` cannot wait for a `fetch` function/)
    assert.equal(calls, 0)
    const both = await Promise.all([asking.explain(token()), asking.explain(token())])
    assert.deepEqual(both.map(({ decision }) => decision.status), ['fulfilled', 'fulfilled'])
    assert.equal(calls, 1)
    assert.equal(asking.explainSync(token()).decision.status, 'fulfilled')
  })

  test('explains a fetch that fails', async () => {
    const fetch = () => {
      throw new FetchError('connect', 'the proxy is down')
    }
    const { decision } = await new Verifier(remote('https://issuer.test/keys'), { fetch }).explain(token())
    assert.equal(decision.reason.class, 'unavailable')
    assert.match(decision.reason.detail, /the proxy is down/)
  })
})
