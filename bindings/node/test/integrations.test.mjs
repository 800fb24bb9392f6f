// The parts of the integrations that no request over HTTP shows: arguments, what middleware passes on, and missing packages.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { on, once } from 'node:events'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { inspect } from 'node:util'

import 'reflect-metadata'

import { JwtAuthError, Verifier } from 'jwtauth'
import * as express from 'jwtauth/express'
import * as fastify from 'jwtauth/fastify'
import * as hono from 'jwtauth/hono'
import * as koa from 'jwtauth/koa'
import * as nestjs from 'jwtauth/nestjs'
import { inherited } from './inherited.mjs'
import { config, NOW, token } from './tokens.mjs'

const require = createRequire(import.meta.url)
const { NOT_ENOUGH, refusal } = require('../integrations/refused.js')
const verifier = new Verifier(
  config({
    identity: { name: 'sub', groups: 'groups' },
    policies: ['read', 'write'],
    roles: { jmespath: 'role', allowed: ['viewer', 'editor'], default: 'viewer' },
  }),
)
const MODULES = { express, fastify, hono, koa, nestjs }

/** Sends a request through middleware of Express. Returns what it passes to `next`, or the response. */
function through(middleware, { claims = {}, ...request } = {}) {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${token(claims)}` }
    const sent = { headers, rawHeaders: Object.entries(headers).flat(), url: '/', socket: {}, ...request }
    const response = { setHeader() {}, end: (body) => resolve({ status: response.statusCode, body: JSON.parse(body) }) }
    middleware(sent, response, (...passed) => resolve({ passed, auth: sent.auth })).catch(reject)
  })
}

describe('a requirement', () => {
  const auth = express.jwtAuth(verifier)
  const outcome = async (names, claims) => (await through(auth.requires(names), { claims })).status ?? 'let in'

  test('needs every member, and one of several names', async () => {
    const claims = { groups: ['staff', 'ops'], role: 'editor' }
    for (const [names, wanted] of [
      [{}, 'let in'],
      [{ __proto__: null, role: 'viewer' }, 403],
      [{ role: 'editor' }, 'let in'],
      [{ role: 'viewer' }, 403],
      [{ role: ['admin', 'editor'] }, 'let in'],
      [{ role: 'editor', group: 'guests' }, 403],
      [{ role: 'editor', group: ['guests', 'ops'], policy: 'write' }, 'let in'],
      [{ policy: 'editor' }, 403],
      [{ group: 'sta' }, 403],
      [{ group: 'Staff' }, 403],
      [{ entitlement: { kind: 'role', name: 'editor' } }, 'let in'],
      [{ entitlement: { kind: 'org_role', name: 'editor', scope: '1' } }, 403],
      [{ entitlement: { kind: 'role', name: 'editor', scope: '1' } }, 403],
    ]) {
      assert.equal(await outcome(names, claims), wanted, JSON.stringify(names))
    }
    assert.equal(await outcome({ group: 'staff' }, { groups: 'staff-only' }), 403)
    assert.equal((await through(auth.requires(), { claims })).status, undefined)
  })

  test('that is not one is refused when the program starts', () => {
    class Rule {
      get role() {
        return 'editor'
      }
    }
    const wrong = [
      undefined, new Map([['role', 'editor']]), new Set(['editor']), Promise.resolve({ role: 'editor' }), Object.create({ role: 'editor' }),
      new Rule(), { [Symbol('role')]: 'editor' }, null, 'editor', ['editor'], { rol: 'editor' }, { role: undefined }, { role: null }, { role: '' }, { role: [] }, { role: [undefined] },
      { role: 1 }, { role: ['editor', ''] }, { policy: undefined }, { group: undefined }, { entitlement: {} }, { entitlement: 'role' },
      { entitlement: { kind: 'role' } }, { entitlement: { kind: 'role', name: 'x', variables: {} } },
      { entitlement: { kind: 'role', name: 'x', scope: undefined } },
    ]
    for (const names of wrong) {
      for (const { jwtAuth } of [express, fastify, hono, koa]) {
        assert.throws(() => jwtAuth(verifier).requires(names), TypeError, JSON.stringify(names))
      }
      assert.throws(() => nestjs.jwtAuth(verifier).Requires(names), TypeError, JSON.stringify(names))
    }
  })

  test('does not change with the object that it was made of, nor with what objects inherit', async () => {
    const wanted = { kind: 'role', name: 'editor' }
    const requires = auth.requires({ entitlement: wanted })
    wanted.name = 'viewer'
    const outcomes = await inherited({ name: 'viewer', scope: '1' }, async () => {
      assert.throws(() => auth.requires({ entitlement: { kind: 'role' } }), TypeError)
      const both = [requires, auth.requires({ entitlement: { kind: 'role', name: 'editor' } })]
      return Promise.all(['editor', 'viewer'].flatMap((role) => both.map((middleware) => through(middleware, { claims: { role } }))))
    })
    assert.deepEqual(outcomes.map(({ status = 'let in' }) => status), ['let in', 'let in', 403, 403])
  })

  test('does not read what the application has written into the request', async () => {
    const forged = { has: () => true, identity: { groups: ['staff'] } }
    assert.equal((await through(auth.requires({ role: 'editor' }), { auth: forged })).status, 403)
    assert.equal((await through(auth, { auth: forged, headers: {}, rawHeaders: [] })).status, 401)
    const { passed, auth: left } = await through(auth.optional, { auth: forged, headers: {}, rawHeaders: [] })
    assert.deepEqual({ passed, left }, { passed: [], left: undefined })
  })

  test('does not take the grant of another verifier', async () => {
    const other = express.jwtAuth(new Verifier(config({ issuer: 'https://other.test' })))
    const decided = {}
    const shared = { headers: { authorization: `Bearer ${token()}` }, rawHeaders: [], url: '/', socket: {} }
    for (const [name, middleware] of Object.entries({ first: auth, second: other, again: auth.requires() })) {
      const response = { setHeader() {}, end: () => { decided[name] = response.statusCode } }
      await middleware(shared, response, () => { decided[name] = 'let in' })
    }
    assert.deepEqual(decided, { first: 'let in', second: 401, again: 'let in' })
  })
})

describe('an integration', () => {
  test('refuses wrong arguments when the program starts', () => {
    for (const { jwtAuth } of Object.values(MODULES)) {
      for (const wrong of [undefined, null, {}, config(), { authenticate: async () => ({}) }]) {
        assert.throws(() => jwtAuth(wrong), TypeError)
      }
      for (const options of [{ optional: true }, { realm: 'a"b' }, { realm: 'a\r\nb' }, { profile: 1 }, { retryAfter: -1 }, { remoteAddr: '::1' }]) {
        assert.throws(() => jwtAuth(verifier, options), /^TypeError: options/, JSON.stringify(options))
      }
      for (const options of [null, new Map([['profile', 'ci']]), Promise.resolve({ profile: 'ci' })]) {
        assert.throws(() => jwtAuth(verifier, options), /^TypeError: options must be a plain object/)
      }
    }
  })

  test('does nothing if another middleware has responded meanwhile', async () => {
    const response = { headersSent: true, setHeader: () => assert.fail(), end: () => assert.fail() }
    const request = { headers: {}, rawHeaders: [], url: '/', socket: {} }
    await express.jwtAuth(verifier)(request, response, () => assert.fail('let in'))
  })

  test('responds with 500 to a mistake of the program, and warns', async () => {
    const mine = new Error('mine')
    const fails = (thrown) => ({ remoteAddr: () => { throw thrown } })
    for (const [options, warning] of [
      [{ profile: '\ud800' }, { code: 'argument_not_utf8' }],
      [{ remoteAddr: () => 7 }, { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE', message: /^request.remoteAddr must be a string/ }],
      [{ remoteAddr: async () => '::1' }, { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' }],
      [fails(mine), { message: 'mine' }],
      [fails(new JwtAuthError({ class: 'denied', code: 'token_missing', message: 'made by the program' })), { message: 'made by the program' }],
      [fails(Object.defineProperty(new Error('mine'), 'stack', { get() { throw mine } })), { message: /cannot be shown/ }],
      // Frameworks take some of these as a signal to go on.
      ...[undefined, null, 'route', 'router', 0].map((thrown) => [fails(thrown), { message: inspect(thrown) }]),
    ]) {
      const auth = express.jwtAuth(verifier, options)
      for (const middleware of [auth, auth.optional, auth.requires()]) {
        const warned = once(process, 'warning')
        assert.deepEqual(await through(middleware), { status: 500, body: { error: 'server_error', message: 'internal error' } })
        const [shown] = await warned
        assert.throws(() => { throw shown }, warning)
      }
    }
  })

  test('warns of a function that rejects where it must not be asynchronous, and the process goes on', async () => {
    const shown = on(process, 'warning')
    const remoteAddr = async () => { throw new Error('mine') }
    const { status } = await through(express.jwtAuth(verifier, { remoteAddr }))
    const warnings = [await shown.next(), await shown.next()].map(({ value: [{ message }] }) => message).sort()
    await shown.return()
    assert.equal(status, 500)
    assert.match(warnings[0], /^mine$/)
    assert.match(warnings[1], /^request.remoteAddr must be a string/)
  })

  test('takes no option and no header that objects inherit', async () => {
    const bound = new Verifier(config({ bound_cidrs: ['10.0.0.0/8'] }))
    const members = {
      profile: 'other', realm: 'x\r\ny', retryAfter: 'x', remoteAddr: () => '10.1.2.3', authorization: `Bearer ${token()}`,
      query: 'token', cookie: 'token', prefix: 'Token ', rawHeaders: ['authorization', 'x', 'authorization', 'y'],
    }
    await inherited(members, async () => {
      for (const options of [undefined, {}]) {
        assert.deepEqual((await through(express.jwtAuth(verifier, options))).passed, [])
        assert.equal((await through(express.jwtAuth(verifier, options), { headers: {}, rawHeaders: [] })).status, 401)
        assert.equal((await through(express.jwtAuth(bound, options))).status, 403)
      }
    })
  })

  test('finds the token that the core finds', async () => {
    const good = token()
    const values = [
      '', 'Bearer', 'Bearer ', `Bearer ${good}`, `bearer ${good}`, `BEARER ${good}`, `Bearer  ${good}`, ` Bearer ${good}`, `Bearer ${good} `,
      `Bearer\t${good}`, `Bearer ${good},`, `Bearer ${good}, Bearer ${good}`, `Bearer Bearer ${good}`, `Bearer ${good}=`, `Bearer "${good}"`,
      `Bearer${good}`, good, `Basic ${good}`, `Bearer ${good}\u00e9`, `Bearer ${token({ exp: NOW - 600 })}`, 'Bearer a.b.c', 'Bearer {}',
    ]
    const places = [
      {}, { prefix: 'Token ' }, { prefix: null }, { prefix_rule: 'optional' }, { padding: 'drop' }, { query: 'token' }, { cookie: 'token' },
      { header: 'X-Token' }, { header: 'X-Token', prefix: null },
    ]
    for (const place of places) {
      const own = new Verifier(config({ token: { header: 'Authorization', prefix: 'Bearer ', ...place } }))
      const name = (place.header ?? 'Authorization').toLowerCase()
      for (const value of values) {
        const headers = { [name]: value }
        const wanted = await own.authenticate({ headers, url: '/' }).then(() => 'granted', ({ code }) => code)
        let found
        const auth = express.jwtAuth(own)
        const response = { setHeader() {}, end: (body) => { found = JSON.parse(body).code } }
        await auth({ headers, rawHeaders: [name, value], url: '/', socket: {} }, response, () => { found = 'granted' })
        assert.equal(found, wanted, JSON.stringify({ place, value }))
      }
    }
  })

  test('reads the headers when the server has no raw ones', async () => {
    assert.deepEqual((await through(express.jwtAuth(verifier), { rawHeaders: undefined })).passed, [])
    assert.deepEqual((await through(express.jwtAuth(verifier), { rawHeaders: [] })).passed, [])
  })

  test('refuses a repeated header of which Node shows only the first', async () => {
    const values = [`Bearer ${token()}`, 'Bearer a.b.c']
    const rawHeaders = ['Authorization', values[0], 'AUTHORIZATION', values[1]]
    assert.equal((await through(express.jwtAuth(verifier), { rawHeaders })).status, 401)
  })

  test('responds with 403 to the failures to which the core does', () => {
    const source = readFileSync(new URL('../../../crates/jwtauth-core/src/policy/response.rs', import.meta.url), 'utf8')
    const [, arm] = /((?:Code::\w+[ |]*)+) => 403/.exec(source)
    const names = [...arm.matchAll(/Code::(\w+)/g)].map(([, name]) => name.replace(/(?!^)(?=[A-Z])/g, '_').toLowerCase())
    assert.deepEqual(names.sort(), [...NOT_ENOUGH].sort())
  })

  test('gives each failure the status of its class, and shows only its message', () => {
    const table = readFileSync(new URL('../../../docs/error-codes.md', import.meta.url), 'utf8')
    const classes = table.split(/^## /m).slice(1)
    let seen = 0
    for (const section of classes) {
      const name = /^\w+/.exec(section)[0]
      for (const [, code, stage, message] of section.matchAll(/^\| `(\w+)` \| `(\w+)` \| ([^|]+) \|/gm)) {
        const failure = new JwtAuthError({ class: name, code, stage, message, claim: 'x"y', detail: 'a secret place' })
        const refused = refusal(failure, 5)
        const statuses = { denied: [401, 403], unavailable: [503] }[name]
        assert.ok((statuses ?? [500]).includes(refused.status), code)
        assert.equal(refused.message, statuses === undefined ? 'internal error' : message)
        assert.match(refused.headers['WWW-Authenticate'] ?? '', /^$|^Bearer( error="[a-z_]+", error_description="[ !#-[\]-~]+")?$/)
        assert.doesNotMatch(JSON.stringify(refused.detail), /secret|x\\"y/)
        seen += 1
      }
    }
    assert.ok(seen > 45)
  })
})

describe('the guard for NestJS', () => {
  const auth = nestjs.jwtAuth(verifier)
  class Base {
    handle() {}
  }
  class Derived extends Base {
    handle() {}
  }
  const context = (type, kind, request) => ({
    getType: () => type,
    getClass: () => kind,
    getHandler: () => kind.prototype.handle,
    switchToHttp: () => ({ getRequest: () => request, getResponse: () => ({ setHeader() {} }) }),
  })
  const request = () => ({ headers: {}, rawHeaders: [], url: '/', socket: {} })

  test('refuses what is not HTTP', async () => {
    for (const type of ['ws', 'rpc', 'graphql', '']) assert.equal(await auth.guard.canActivate(context(type, Derived)), false)
  })

  test('does not take a class for public because it extends a public one', async () => {
    auth.Public()(Base)
    assert.equal(await auth.guard.canActivate(context('http', Base, request())), true)
    await assert.rejects(auth.guard.canActivate(context('http', Derived, request())), { status: 401 })
    // Nor what is public for another one.
    await assert.rejects(nestjs.jwtAuth(verifier).guard.canActivate(context('http', Base, request())), { status: 401 })
  })
})

describe('a subpath', () => {
  test('is the same for require and import', () => {
    for (const [name, module] of Object.entries(MODULES)) {
      const required = require(`jwtauth/${name}`)
      assert.deepEqual(Object.keys(required).sort(), Object.keys(module).sort(), name)
      if (name !== 'nestjs') assert.equal(required.jwtAuth, module.jwtAuth)
      required.jwtAuth(verifier)
    }
  })

  test('tells which package is missing', () => {
    const folder = mkdtempSync(join(tmpdir(), 'jwtauth-alone-'))
    const source = fileURLToPath(new URL('..', import.meta.url))
    for (const part of ['package.json', 'index.js', 'index.mjs', 'lib', 'integrations']) {
      cpSync(join(source, part), join(folder, 'node_modules/jwtauth', part), { recursive: true })
    }
    for (const addon of readdirSync(source).filter((name) => name.endsWith('.node'))) {
      cpSync(join(source, addon), join(folder, 'node_modules/jwtauth', addon))
    }
    try {
      for (const program of ["require('jwtauth/nestjs')", "import('jwtauth/nestjs')"]) {
        const { status, stderr } = spawnSync(process.execPath, ['--eval', program], { cwd: folder, encoding: 'utf8' })
        assert.equal(status, 1)
        assert.match(stderr, /jwtauth\/nestjs needs @nestjs\/common: npm install @nestjs\/common/)
      }
      // The others import no framework.
      for (const name of ['express', 'fastify', 'hono', 'koa']) {
        const { status, stderr } = spawnSync(process.execPath, ['--eval', `require('jwtauth/${name}')`], { cwd: folder, encoding: 'utf8' })
        assert.deepEqual({ name, status, stderr }, { name, status: 0, stderr: '' })
      }
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})
