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

/** Checks that both forms have the same outcome; returns the text of the grant or the failure. */
async function decide(verifierText, requestText) {
  let verifier
  try {
    verifier = new Verifier(verifierText)
  } catch (error) {
    return { error }
  }
  const [now, later] = await Promise.all([
    new Promise((resolve) => resolve(verifier.authenticateSync(requestText))).then(({ json }) => ({ json }), (error) => ({ error })),
    verifier.authenticate(requestText).then(({ json }) => ({ json }), (error) => ({ error })),
  ])
  assert.deepEqual(later, now, 'authenticate and authenticateSync decide alike')
  return now
}

function compare({ json, error }, expected) {
  const wanted = JSON.parse(expected)
  if (wanted.outcome === 'granted') {
    assert.equal(json, expected, error?.stack)
    return
  }
  assert.equal(json, undefined, 'granted what must be refused')
  assert.ok(error instanceof JwtAuthError, error?.stack)
  const reported = { outcome: 'failed', ...error, http_status: error.httpStatus }
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
      compare(await decide(read('verifier'), read('request')), read('expect'))
      failed -= 1
      passed += 1
    })
  }

  after(() => {
    console.log(`conformance node: ${passed} passed, ${failed} failed`)
    if (cases.length > 0) writeFileSync(`${directory}/ran-node.txt`, String(passed + failed))
  })
})
