// The programs that the README of this package and the page about sessions show. Each is run with what it uses and does not show.
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath, pathToFileURL } from 'node:url'

import { Sessions, Verifier } from 'jwtauth'
import { keyServer } from './key-server.mjs'
import { programs } from './programs.mjs'
import { config, NOW, remote, token } from './tokens.mjs'

const shown = programs(new URL('../README.md', import.meta.url))
// In this package's folder, so that the programs find it. Their files are written there too.
const folder = mkdtempSync(fileURLToPath(new URL('page-', import.meta.url)))
process.chdir(folder)
after(() => {
  process.chdir('..')
  rmSync(folder, { recursive: true })
})

let programsRun = 0
const request = { headers: { authorization: `Bearer ${token()}` } }

/** The test of each program. Its name says what the program does. */
const TESTS = {
  async 'a server decides requests'(code) {
    // pack.test.mjs runs the first program, with the packed package.
    assert.match(code, /^export async function handle\(/m)
  },
  async 'many tokens are decided'(code) {
    const log = []
    const verifier = new Verifier(config({ profiles: { web: {} } }))
    const tokens = [token(), token({ exp: NOW - 600 })]
    await run(code, { verifier, tokens, console: { log: (...line) => log.push(line) } })
    assert.deepEqual(log, [['alice'], ['token_expired']])
  },
  async 'a decision is explained'(code) {
    const log = []
    const console = { log: (...line) => log.push(line) }
    const { decision } = await run(code, { verifier: new Verifier(config()), request, console }, ['decision'])
    assert.equal(decision.value.identity.name, 'alice')
    assert.ok(log.length > 5)
    for (const line of log) assert.deepEqual(line.map((part) => typeof part), ['string', 'string', 'string'])
  },
  async 'events are recorded'(code) {
    const recorded = []
    const metrics = { record: (...event) => recorded.push(event) }
    const { verifier } = await run(code, { Verifier, config: config(), metrics }, ['verifier'])
    await verifier.authenticate(token())
    await assert.rejects(verifier.authenticate('x'))
    assert.deepEqual(recorded.map((event) => event.slice(0, 3)), [['decision', 'granted', undefined], ['decision', 'denied', 'token_malformed']])
    for (const [, , , seconds] of recorded) assert.ok(seconds >= 0 && seconds < 1e6, seconds)
  },
  async 'an application needs a grant'(code) {
    // framework-pages.test.mjs runs the program of the page.
    const page = readFileSync(new URL('../../../docs/frameworks/express.md', import.meta.url), 'utf8')
    assert.ok(page.includes(code))
  },
  async 'a function fetches the keys'(code) {
    const server = await keyServer()
    const { verifier } = await run(code, { Verifier, config: remote(server.url) }, ['verifier'])
    assert.equal((await verifier.authenticate(token())).identity.name, 'alice')
    assert.deepEqual(server.requests.map(({ headers }) => headers['user-agent']), ['node'])
  },
  async 'a login becomes a session'(code) {
    const { sessions, login, session } = await run(code, { config: config(), request }, ['sessions', 'login', 'session'])
    assert.equal(session.subject, 'alice')
    await assert.rejects(sessions.authorize(login.token), { code: 'session_unknown' })
  },
}

test('each program of the README has a test', () => {
  assert.equal(shown.length, Object.keys(TESTS).length)
})

for (const [number, [name, check]] of Object.entries(TESTS).entries()) test(name, () => check(shown[number].code))

test('a session is made, checked and ended as the page about sessions shows', async () => {
  const [{ code }, ...others] = programs(new URL('../../../docs/sessions.md', import.meta.url))
  assert.equal(others.length, 0)
  const given = { Sessions, config: config(), request: { ...request, socket: { remoteAddress: '10.1.2.3' } } }
  const { sessions, token, response, session } = await run(code, given, ['sessions', 'token', 'response', 'session'])
  assert.equal(session.subject, 'alice')
  assert.equal(response.token, token)
  await assert.rejects(sessions.authorize(token), { code: 'session_unknown' })
})

/** Runs a program, given the names that it uses. Returns the names that it defines. */
async function run(code, given, defined = []) {
  globalThis.given = given
  const file = join(folder, `${(programsRun += 1)}.mjs`)
  writeFileSync(file, `const { ${Object.keys(given).join(', ')} } = globalThis.given\n${code}\nexport { ${defined.join(', ')} }\n`)
  return import(pathToFileURL(file))
}
