// The published package: packed, installed into an empty folder, and used from there in both module styles.
import assert from 'node:assert/strict'
import { execFile, execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'

import { keyServer, status } from './key-server.mjs'
import { programs } from './programs.mjs'
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
    const packages = /: the package (@jwtauth\/\S+ or )?@jwtauth\/\S+ is not installed; install jwtauth again without --omit=optional;/
    assert.match(stderr, new RegExp(`no addon that loads on ${process.platform}-${process.arch}`))
    assert.match(stderr, packages)
  })

  test('names the supported platforms on a platform that is not supported', () => {
    const elsewhere = `Object.defineProperty(process, 'platform', { value: 'sunos' }); require('jwtauth')`
    const { status, stderr } = node('--eval', elsewhere)
    assert.equal(status, 1)
    const named = 'linux-x64-gnu, linux-x64-musl, linux-arm64-gnu, linux-arm64-musl'
    assert.ok(stderr.includes(`loads on sunos-${process.arch}: the platform is not supported; there are addons for ${named}; `), stderr)
  })

  test('says why an addon does not load', () => {
    const broken = join(app, 'broken')
    cpSync(join(app, 'node_modules/jwtauth'), broken, { recursive: true })
    for (const { path } of packed.files.filter(({ path }) => path.endsWith('.node'))) writeFileSync(join(broken, path), 'no library')
    const { status, stderr } = node('--eval', `require('./broken')`)
    assert.equal(status, 1)
    assert.match(stderr, /no addon that loads on [a-z0-9-]+: .*\.node: /)
  })

  test('loads the addon from the package of its platform', () => {
    const bare = join(app, 'node_modules/jwtauth')
    const [addon] = packed.files.map(({ path }) => path).filter((path) => path.endsWith('.node'))
    const own = join(app, 'node_modules/@jwtauth', addon.slice('jwtauth.'.length, -'.node'.length))
    mkdirSync(own, { recursive: true })
    writeFileSync(join(own, 'package.json'), JSON.stringify({ main: addon }))
    renameSync(join(bare, addon), join(own, addon))
    try {
      const { stdout, stderr } = node('--eval', `console.log(require('jwtauth').version)`)
      assert.deepEqual({ stdout, stderr }, { stdout: `${JSON.parse(readFileSync(join(bare, 'package.json'))).version}\n`, stderr: '' })
    } finally {
      renameSync(join(own, addon), join(bare, addon))
      rmSync(join(app, 'node_modules/@jwtauth'), { recursive: true })
    }
  })

  test('does what the README shows', async () => {
    const [{ code }] = programs(new URL('../README.md', import.meta.url))
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
    writeFileSync(join(app, 'readme.mjs'), `${code}${server}`)
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
