// Runs the cases of sessions that every language runs: the same steps must give the same bytes.
import assert from 'node:assert/strict'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { after, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'

import { JwtAuthError, Sessions } from 'jwtauth'

const root = process.env.CONFORMANCE_DIR ?? fileURLToPath(new URL('../../../target/conformance', import.meta.url))
const directory = `${root}/sessions`
const lines = (file) => (existsSync(file) ? readFileSync(file, 'utf8').split('\n').filter(Boolean) : [])
const cases = lines(`${directory}/index.txt`)

let passed = 0
let failed = 0

/** The ways to call the same verbs. Each must give the same replies. */
const forms = {
  async promises(sessions, verb, request) {
    return sessions.callJson(verb, request)
  },
  async sync(sessions, verb, request) {
    return sessions.callJsonSync(verb, request)
  },
  /** The methods with arguments, for the requests that they can make. */
  async methods(sessions, verb, request, expected) {
    const given = JSON.parse(expected).class === 'argument' ? undefined : argumentsOf(verb, request)
    if (given === undefined) return sessions.callJson(verb, request)
    const method = verb.replaceAll(/_([a-z])/g, (_, letter) => letter.toUpperCase())
    try {
      return replyOf(verb, await sessions[method](...given))
    } catch (error) {
      return failure(error)
    }
  },
}

/** The arguments of a method for a request that is well-formed. Undefined: the method cannot make this request. */
function argumentsOf(verb, request) {
  if (verb === 'sweep') return []
  const members = JSON.parse(request)
  const { token, accessor, increment = 0, remote_addr: remoteAddr, cached_only: cachedOnly, ...others } = members
  // In JSON, null counts as absent, and integers have 64 bits.
  const isOnlyJson = Object.values(members).includes(null) || !Number.isSafeInteger(increment) || Array.isArray(others.headers)
  if (isOnlyJson || request.length > 4_000_000) return undefined
  switch (verb) {
    case 'login':
      return [{ ...others, token, remoteAddr, cachedOnly }]
    case 'revoke_all':
      return [members]
    case 'lookup_accessor':
    case 'revoke_accessor':
      return [accessor]
    default:
      return [token, verb === 'renew' ? increment : remoteAddr]
  }
}

/** A reply on one line, as the library writes it. */
function line(reply) {
  const escaped = (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`
  return JSON.stringify(reply).replaceAll(/[\u0085\u2028\u2029]/g, escaped)
}

/** The reply for the result of a method. */
function replyOf(verb, result) {
  switch (verb) {
    case 'login':
    case 'renew':
      return result.json
    case 'lookup':
    case 'lookup_accessor':
      return line({ outcome: 'session', session: result })
    case 'authorize':
      return line({ outcome: 'authorized', session: result })
    case 'sweep':
      return line({ outcome: 'swept', count: result })
    default:
      return line({ outcome: 'revoked', count: result ?? 1 })
  }
}

/** The reply for an error. Its message has the claim and the detail at the end. */
function failure(error) {
  assert.ok(error instanceof JwtAuthError, error?.stack)
  const { class: kind, code, stage, claim, detail, applicable, http_status } = error
  let { message } = error
  for (const end of [detail === undefined ? '' : `: ${detail}`, claim === undefined ? '' : ` (claim "${claim}")`]) {
    assert.ok(message.endsWith(end))
    message = message.slice(0, message.length - end.length)
  }
  return line({ outcome: 'failed', class: kind, code, stage, claim, message, detail, applicable, http_status })
}

async function run(name, form) {
  const path = (file) => `${directory}/${name}/${file}`
  const read = (file) => readFileSync(path(file), 'utf8')
  let sessions
  try {
    sessions = new Sessions(read('sessions.json'))
  } catch (error) {
    assert.ok(existsSync(path('build.json')), error.stack)
    assert.equal(failure(error), read('build.json'))
    return
  }
  assert.ok(!existsSync(path('build.json')), 'built what must be refused')
  for (const [index, verb] of lines(path('steps.txt')).entries()) {
    const [request, expected] = ['request', 'reply'].map((file) => read(`${index + 1}-${file}.json`))
    let reply
    if (verb === 'reload') {
      try {
        sessions = form === 'sync' ? sessions.reloadSync(request) : await sessions.reload(request)
        reply = '{"outcome":"reloaded"}'
      } catch (error) {
        reply = failure(error)
      }
    } else {
      reply = await forms[form](sessions, verb, request, expected)
    }
    assert.equal(reply, expected, `step ${index + 1}, ${verb}, ${form}`)
  }
}

describe('conformance of sessions', () => {
  test('the cases exist', () => {
    assert.notEqual(cases.length, 0, `${directory}/index.txt lists no case; make the files with "make conformance"`)
  })

  for (const name of cases) {
    test(name, async () => {
      failed += 1
      for (const form of Object.keys(forms)) await run(name, form)
      failed -= 1
      passed += 1
    })
  }

  after(() => {
    console.log(`conformance sessions node: ${passed} passed, ${failed} failed`)
    if (cases.length > 0) writeFileSync(`${root}/ran-sessions-node.txt`, String(passed + failed))
  })
})
