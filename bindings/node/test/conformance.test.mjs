// Runs the cases that every language runs: the same files must give the same bytes or the same code.
import assert from 'node:assert/strict'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { after, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'

import { JwtAuthError, Verifier } from 'jwtauth'

const directory = process.env.CONFORMANCE_DIR ?? fileURLToPath(new URL('../../../target/conformance', import.meta.url))
const index = `${directory}/index.txt`
const cases = existsSync(index) ? readFileSync(index, 'utf8').split('\n').filter(Boolean) : []

let passed = 0
let failed = 0

/** Checks that an explanation has this outcome, and for a grant the same bytes. */
function sameExplained(explained, { json, error }) {
  const { status, value, reason } = explained.decision
  assert.deepEqual(status === 'fulfilled' ? { json: value.json } : { error: reason }, json === undefined ? { error } : { json })
  if (json !== undefined) assert.ok(explained.json.startsWith(`{"decision":${json},"steps":[`))
  assert.notEqual(explained.steps.length, 0)
}

/** Checks that all forms have the same outcome; returns the text of the grant or the failure. */
async function decide(verifierText, requestText) {
  let verifier
  try {
    verifier = new Verifier(verifierText)
  } catch (error) {
    return { error }
  }
  const outcome = (call) => new Promise((resolve) => resolve(call())).then(({ json }) => ({ json }), (error) => ({ error }))
  const now = await outcome(() => verifier.authenticateJsonSync(requestText))
  const same = async (call) => assert.deepEqual(await outcome(call), now)
  await same(() => verifier.authenticateJson(requestText))
  sameExplained(await verifier.explainJson(requestText), now)
  // A text with the right form can also be passed as an object, and a token alone as it is. Without the JSON around it, a
  // request can be within the limit of 4 MiB.
  if (now.error?.class !== 'argument' && requestText.length < 4_000_000) {
    const { remote_addr: remoteAddr, cached_only: cachedOnly, ...others } = JSON.parse(requestText)
    const request = { ...others, remoteAddr, cachedOnly }
    await same(() => verifier.authenticateSync(request))
    await same(() => verifier.authenticate(request))
    if (Object.keys(JSON.parse(requestText)).join() === 'token' && !request.token.startsWith('{')) {
      await same(() => verifier.authenticateSync(request.token))
      await same(() => verifier.authenticate(request.token))
      const batch = await verifier.authenticateMany(Array(3).fill(request.token))
      for (const { status, value, reason } of batch) {
        assert.deepEqual(status === 'fulfilled' ? { json: value.json } : { error: reason }, now)
      }
      assert.equal(batch.length, 3)
    }
  }
  return now
}

/** Decides twice with a verifier that has a token cache. A second grant is from the cache. */
function decideWithCache(verifierText, requestText, compare) {
  const verifier = new Verifier(verifierText)
  for (const hits of [0, 1]) {
    let outcome
    try {
      outcome = { json: verifier.authenticateJsonSync(requestText).json }
    } catch (error) {
      outcome = { error }
    }
    compare(outcome)
    if (outcome.error === undefined) assert.equal(verifier.policy().token_cache.hits, hits)
  }
}

function compare({ json, error }, expected) {
  const wanted = JSON.parse(expected)
  if (wanted.outcome === 'granted') {
    assert.equal(json, expected, error?.stack)
    return
  }
  assert.equal(json, undefined, 'granted what must be refused')
  assert.ok(error instanceof JwtAuthError, error?.stack)
  const reported = { outcome: 'failed', ...error }
  for (const member of Object.keys(wanted)) assert.equal(reported[member], wanted[member], member)
}

describe('conformance', () => {
  test('the cases exist', () => {
    assert.notEqual(cases.length, 0, `${index} lists no case; make the files with "make conformance"`)
  })

  for (const name of cases) {
    test(name, async () => {
      const read = (file) => readFileSync(`${directory}/${name}/${file}.json`, 'utf8')
      failed += 1
      const outcome = await decide(read('verifier'), read('request'))
      compare(outcome, read('expect'))
      if (outcome.error?.class !== 'config') {
        decideWithCache(read('verifier-with-cache'), read('request'), (outcome) => compare(outcome, read('expect')))
      }
      failed -= 1
      passed += 1
    })
  }

  after(() => {
    console.log(`conformance node: ${passed} passed, ${failed} failed`)
    if (cases.length > 0) writeFileSync(`${directory}/ran-node.txt`, String(passed + failed))
  })
})
