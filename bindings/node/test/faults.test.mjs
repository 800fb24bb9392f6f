// Faults of key servers: the scripts of tests/faults, played by the testkit's program `serve` over real TCP and TLS. All
// scripts are played with the built-in client; those that do not depend on its settings, also with a `fetch` function.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { get } from 'node:https'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'

import { FetchError, Verifier } from 'jwtauth'

const target = process.env.TARGET ?? fileURLToPath(new URL('../../../target', import.meta.url))
const server = spawn(join(target, 'debug/serve'), { stdio: ['pipe', 'pipe', 'inherit'] })
const [line] = await once(createInterface(server.stdout), 'line')
const { control } = JSON.parse(line)
const scripts = await ask('GET', '/faults')
after(() => server.stdin.end())

// Most of the time is spent waiting. More at a time would make this machine too slow for the timeouts of the scripts.
describe('a server', { concurrency: 8 }, () => {
  for (const script of scripts) {
    const name = `that ${script.fault} (${script.script})${script.token_cache ? ', with a token cache' : ''}`
    test(name, () => play(script))
    if (!script.built_in_client) test(`${name}, met by a fetch function`, () => play(script, fetchBy))
  }
})

test('the scripts exist', () => {
  assert.ok(scripts.length > 160, `${scripts.length}`)
})

async function play(script, client) {
  const { play, verifier: configuration, directory, steps } = await ask('POST', '/plays', script)
  const verifier = new Verifier(configuration, client === undefined ? {} : { fetch: client(directory) })
  for (const [number, step] of steps.entries()) {
    if (step.change) await ask('POST', `/plays/${play}/steps/${number}`)
    else await take(step, play, verifier, client === undefined)
  }
  await ask('DELETE', `/plays/${play}`)
}

async function take(step, play, verifier, builtIn) {
  const before = (await ask('GET', `/plays/${play}`)).requests
  const decideAll = async () => {
    for (const token of step.tokens) {
      const { code, detail = '' } = await verifier.authenticate({ token }).then(() => ({ code: 'granted' }), (error) => error)
      assert.equal(code, step.expect, detail)
      if (step.phase !== undefined) assert.ok(detail.includes(`: ${step.phase}: `), detail)
      if (step.reason !== undefined && builtIn) assert.ok(detail.includes(step.reason), detail)
      assert.doesNotMatch(detail, /hush/)
    }
  }
  await Promise.all(Array.from({ length: step.threads }, decideAll))
  if (step.requests === undefined) return
  const requests = (await ask('GET', `/plays/${play}`)).requests - before
  assert.ok(step.requests.least <= requests && requests <= step.requests.most, `${requests} requests`)
}

/** An application's HTTP client, with separate trust settings and separate error texts. */
function fetchBy(directory) {
  const ca = readFileSync(join(directory, 'ca.pem'))
  return ({ url, headers, signal }) =>
    new Promise((resolve, reject) => {
      const failed = (error) => {
        const refused = error.code === 'ECONNREFUSED'
        const tls = /^(ERR_TLS|ERR_SSL|CERT_|UNABLE_|DEPTH_|SELF_SIGNED)|EPROTO/.test(error.code)
        reject(new FetchError(refused ? 'connect' : tls ? 'tls' : 'http', error.code ?? 'failed', { cause: error }))
      }
      get(url, { ca, headers, signal, agent: false }, (response) => {
        resolve({ status: response.statusCode, headers: response.headers, body: response })
      }).on('error', failed)
    })
}

async function ask(method, path, body) {
  const response = await fetch(`${control}${path}`, { method, body: JSON.stringify(body) })
  const answer = await response.json()
  assert.equal(response.status, 200, `${method} ${path}: ${answer.error}`)
  return answer
}
