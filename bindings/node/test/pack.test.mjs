// The published package: packed, installed into an empty folder, and used from there in both module styles.
import assert from 'node:assert/strict'
import { execFile, execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'

import { keyServer, status } from './key-server.mjs'
import { config, NOW, publicJwk, remote, token } from './tokens.mjs'

const source = fileURLToPath(new URL('..', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'jwtauth-pack-'))
const app = join(folder, 'app')
let packed

/** Runs npm as from a shell, because under `npm test` it would inherit this package's settings. */
function npm(cwd, ...args) {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('npm_')))
  return execFileSync('npm', args, { cwd, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
}

function node(...args) {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: app, encoding: 'utf8' })
  return { status, stdout, stderr }
}

/** Runs a program while this process responds to requests. */
function nodeAsync(...args) {
  return new Promise((resolve) => {
    execFile(process.execPath, args, { cwd: app, encoding: 'utf8' }, (error, stdout, stderr) => {
      resolve({ status: error === null ? 0 : error.code, stdout, stderr })
    })
  })
}

describe('the packed package', () => {
  before(() => {
    packed = JSON.parse(npm(source, 'pack', '--json', '--pack-destination', folder))[0]
    mkdirSync(app)
    writeFileSync(join(app, 'package.json'), '{"private":true}')
    npm(app, 'install', '--offline', join(folder, packed.filename))
    writeFileSync(join(app, 'config.json'), JSON.stringify(config()))
    writeFileSync(join(app, 'token.txt'), token())
    for (const example of ['authenticate.mjs', 'login_server.mjs', 'own_client.mjs']) {
      copyFileSync(new URL(`../../../examples/node/${example}`, import.meta.url), join(app, example))
    }
  })

  after(() => rmSync(folder, { recursive: true }))

  test('contains the addon and the types, but no tests', () => {
    const files = packed.files.map(({ path }) => path)
    const integrations = ['integrations/express.js', 'integrations/nestjs.mjs', 'integrations/hono.d.mts']
    for (const needed of ['index.js', 'index.mjs', 'index.d.ts', 'index.d.mts', 'README.md', 'LICENSE-MIT', 'LICENSE-APACHE', ...integrations]) {
      assert.ok(files.includes(needed), needed)
    }
    assert.equal(files.filter((path) => path.endsWith('.node')).length, 1)
    assert.deepEqual(files.filter((path) => /test|\.rs$|Cargo|build/.test(path)), [])
  })

  test('works with require', () => {
    const script = `
      const { readFileSync } = require('node:fs')
      const { Verifier } = require('jwtauth')
      const grant = new Verifier(readFileSync('config.json', 'utf8')).authenticateSync({ token: readFileSync('token.txt', 'utf8') })
      console.log(grant.identity.name)`
    assert.deepEqual(node('--input-type=commonjs', '--eval', script), { status: 0, stdout: 'alice\n', stderr: '' })
  })

  test('works with import', () => {
    const script = `
      import { readFileSync } from 'node:fs'
      import { Verifier } from 'jwtauth'
      const verifier = new Verifier(JSON.parse(readFileSync('config.json', 'utf8')))
      const grant = await verifier.authenticate({ token: readFileSync('token.txt', 'utf8') })
      console.log(grant.identity.name)`
    assert.deepEqual(node('--input-type=module', '--eval', script), { status: 0, stdout: 'alice\n', stderr: '' })
  })

  test('does not export internal modules', () => {
    const { status, stderr } = node('--eval', `require('jwtauth/lib/grant.js')`)
    assert.equal(status, 1)
    assert.match(stderr, /ERR_PACKAGE_PATH_NOT_EXPORTED/)
  })

  test('reports a missing addon for the machine', () => {
    const bare = join(app, 'bare')
    cpSync(join(app, 'node_modules/jwtauth'), bare, { recursive: true, filter: (path) => !path.endsWith('.node') })
    const { status, stderr } = node('--eval', `require('./bare')`)
    assert.equal(status, 1)
    assert.match(stderr, new RegExp(`no addon that loads on ${process.platform}-${process.arch}`))
  })

  test('does what the README shows', async () => {
    const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
    const shown = /^```js\n([^]*?)^```$/m.exec(readme)[1]
    const server = `
      import { createServer } from 'node:http'
      const server = createServer((request, response) => void handle(request, response))
      server.listen(0, '127.0.0.1', async () => {
        const ask = async (headers) => {
          const response = await fetch('http://127.0.0.1:' + server.address().port, { headers })
          console.log(response.status, await response.text())
        }
        await ask({ authorization: 'Bearer ' + process.argv[2] })
        await ask({ authorization: 'Bearer ' + process.argv[3] })
        server.close()
        server.closeAllConnections()
      })`
    writeFileSync(join(app, 'keys.json'), JSON.stringify({ keys: [publicJwk] }))
    writeFileSync(join(app, 'readme.mjs'), `${shown}${server}`)
    const now = Math.floor(Date.now() / 1000)
    assert.deepEqual(node('readme.mjs', token({ exp: now + 600 }), token({ exp: now - 600 })), {
      status: 0,
      stdout: '200 hello alice\n401 token_expired\n',
      stderr: '',
    })
  })

  test('runs the example', () => {
    const example = (...args) => node('authenticate.mjs', ...args)
    assert.deepEqual(example('config.json', token()), { status: 0, stdout: 'granted: alice []\n', stderr: '' })
    const denied = example('config.json', token({ exp: NOW - 3600 }))
    assert.equal(denied.status, 1)
    assert.match(denied.stdout, /^refused: token_expired: the token has expired/)
    assert.equal(example('config.json', token(), 'unknown').status, 1)
    assert.equal(example('package.json', token()).status, 2)
    assert.equal(example('absent.json', token()).status, 2)
    assert.equal(example().status, 2)
  })

  test('runs the example with its own client', async () => {
    const server = await keyServer()
    writeFileSync(join(app, 'remote.json'), JSON.stringify(remote(server.url, { timeout: '60s' })))
    const example = (...args) => nodeAsync('own_client.mjs', ...args)
    assert.deepEqual(await example('remote.json', token()), { status: 0, stdout: 'granted: alice []\n', stderr: '' })
    assert.equal(server.requests.length, 1)
    const denied = await example('remote.json', token({ exp: NOW - 3600 }))
    assert.equal(denied.status, 1)
    assert.match(denied.stdout, /^refused: token_expired: the token has expired/)
    const answers = [[status(503), /http: status 503/], [(request, response) => response.destroy(), /connect: no connection to the key server/]]
    for (const [answer, detail] of answers) {
      server.answer = answer
      const { status, stdout, stderr } = await example('remote.json', token())
      assert.deepEqual({ status, stdout }, { status: 3, stdout: '' })
      assert.match(stderr, /^refused: key_source_unavailable: /)
      assert.match(stderr, detail)
      assert.doesNotMatch(stderr, /hush/)
    }
    assert.equal((await example('package.json', token())).status, 2)
    assert.equal((await example()).status, 2)
  })

  test('runs the example of a server with a login, a protected page and a logout', async (t) => {
    const server = spawn(process.execPath, ['login_server.mjs', 'config.json', '0'], { cwd: app, stdio: ['ignore', 'pipe', 'inherit'] })
    t.after(() => server.kill())
    const [line] = await once(createInterface(server.stdout), 'line')
    const url = /^listening on (.*)$/.exec(line)[1]
    const ask = async (method, path, held) => {
      const response = await fetch(url + path, { method, headers: held === undefined ? {} : { authorization: `Bearer ${held}` } })
      assert.equal(response.headers.get('cache-control'), 'no-store')
      return [response.status, await response.json()]
    }
    const [status, login] = await ask('POST', '/login', token())
    assert.deepEqual([status, login.grant.identity.name], [200, 'alice'])
    assert.deepEqual(await ask('GET', '/', login.token), [200, { hello: 'alice', entitlements: [] }])
    assert.deepEqual(await ask('POST', '/login', token({ exp: NOW - 3600 })), [401, { error: 'token_expired' }])
    assert.deepEqual(await ask('POST', '/login'), [401, { error: 'token_missing' }])
    // Neither the token of the issuer nor the accessor opens the page.
    for (const wrong of [undefined, '', token(), login.accessor]) {
      assert.deepEqual(await ask('GET', '/', wrong), [401, { error: 'session_unknown' }])
    }
    assert.deepEqual(await ask('POST', '/logout', login.token), [200, {}])
    for (const [method, path] of [['GET', '/'], ['POST', '/logout']]) {
      assert.deepEqual(await ask(method, path, login.token), [401, { error: 'session_unknown' }])
    }
    assert.equal((await ask('GET', '/constructor'))[0], 404)
    assert.equal(node('login_server.mjs').status, 2)
  })
})
