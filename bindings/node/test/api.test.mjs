// The JavaScript surface: types, promises, errors, the grant object. The conformance suite tests the decisions.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, get } from 'node:http'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { inspect } from 'node:util'
import { runInNewContext } from 'node:vm'
import { Worker } from 'node:worker_threads'

import { Grant, JwtAuthError, Verifier, version } from 'jwtauth'
import { inherited } from './inherited.mjs'
import { config, NOW, token } from './tokens.mjs'

const require = createRequire(import.meta.url)
const verifier = new Verifier(config())
const wrongType = { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' }

describe('the two module styles', () => {
  test('give the same classes', () => {
    const commonjs = require('jwtauth')
    assert.equal(commonjs.Verifier, Verifier)
    assert.equal(commonjs.JwtAuthError, JwtAuthError)
    assert.equal(commonjs.Grant, Grant)
  })

  test('give the version of the package', () => {
    assert.equal(version, require('../package.json').version)
    assert.equal(version, require('../package-lock.json').version)
    assert.equal(require('jwtauth').version, version)
  })
})

describe('a verifier', () => {
  test('is built from an object or from text', () => {
    for (const given of [config(), JSON.stringify(config()), runInNewContext('JSON.parse(text)', { text: JSON.stringify(config()) })]) {
      assert.equal(new Verifier(given).authenticateSync({ token: token() }).identity.name, 'alice')
    }
  })

  test('is built from a file, and errors name it', () => {
    const folder = mkdtempSync(join(tmpdir(), 'jwtauth-'))
    const path = join(folder, 'verifier.json')
    writeFileSync(path, JSON.stringify(config()))
    for (const given of [path, pathToFileURL(path)]) {
      const built = Verifier.fromFile(given)
      assert.ok(built instanceof Verifier)
      assert.equal(built.authenticateSync({ token: token() }).identity.name, 'alice')
    }
    writeFileSync(path, '{')
    assert.throws(() => Verifier.fromFile(path), (error) => {
      assert.ok(error instanceof JwtAuthError)
      return error.code === 'config_invalid' && error.detail.startsWith(`${path}: `)
    })
    rmSync(folder, { recursive: true })
    assert.throws(() => Verifier.fromFile(path), { code: 'config_invalid' })
    assert.throws(() => Verifier.fromFile(''), { code: 'config_invalid' })
    for (const given of [undefined, null, 1, {}, config()]) assert.throws(() => Verifier.fromFile(given), wrongType)
    assert.throws(() => Verifier.fromFile(path, { fetch: 1 }), wrongType)
  })

  test('reports which key of the configuration is wrong', () => {
    assert.throws(() => new Verifier({ ...config(), dialetc: 1 }), (error) => {
      assert.ok(error instanceof JwtAuthError)
      assert.equal(error.class, 'config')
      assert.equal(error.code, 'config_invalid')
      assert.equal(error.stage, 'configure')
      assert.match(error.detail, /dialetc/)
      assert.match(error.message, /dialetc/)
      assert.equal('applicable' in error, false)
      return true
    })
  })

  test('refuses a value that is not a configuration', () => {
    for (const given of [undefined, null, 1, true, [], new Map(), () => {}, Symbol('x')]) {
      assert.throws(() => new Verifier(given), wrongType)
    }
  })

  test('refuses a member that JSON would drop or change, and reports its place', () => {
    for (const [lost, kind] of [[undefined, 'Undefined'], [NaN, 'Number'], [Infinity, 'Number'], [1n, 'BigInt'], [new Map([['a', 1]]), 'Map'], [new Set(['api']), 'Set'], [() => {}, 'Function'], [Symbol('x'), 'Symbol']]) {
      assert.throws(() => new Verifier(config({ issuer: lost })), {
        ...wrongType,
        message: `config.config.issuer must be JSON data, not ${kind}`,
      })
    }
    assert.throws(() => new Verifier(config({ audiences: ['api', undefined] })), {
      ...wrongType,
      message: 'config.config.audiences.1 must be JSON data, not Undefined',
    })
  })

  test('accepts values with a toJSON method', () => {
    const given = config({ issuer: new URL('https://issuer.test/realm') })
    assert.equal(new Verifier(given).policy().config.issuer, 'https://issuer.test/realm')
  })

  test('prints a policy that builds the same verifier', () => {
    const policy = verifier.policy()
    assert.equal(policy.dialect, 'native')
    assert.ok(Array.isArray(policy.warnings))
    assert.deepEqual(new Verifier(policy).policy(), policy)
  })

  test('prints a policy that is refused until its secrets are put back', () => {
    const secret = Buffer.alloc(32, 's').toString('base64url')
    const given = config({ keys: [{ secret }], algorithms: ['HS256'] })
    const policy = new Verifier(given).policy()
    assert.equal(policy.config.keys[0].secret, '(redacted)')
    assert.throws(() => new Verifier(policy), { class: 'config', code: 'key_invalid' })
    policy.config.keys[0].secret = secret
    assert.equal(new Verifier(policy).policy().config.keys[0].secret, '(redacted)')
  })

  test('has nothing to refresh for keys in the configuration', async () => {
    assert.deepEqual(await verifier.refreshKeys(), [{ source: 'keys[0].pem', state: 'fixed', keys: 1, kids: [] }])
  })

  test('cannot be impersonated', () => {
    assert.throws(() => Verifier.prototype.authenticateSync.call({}, { token: token() }), TypeError)
  })
})

describe('a request', () => {
  const decide = (request, by = verifier) => by.authenticateSync(request).identity.name

  test('has the same outcome in both forms', async () => {
    const request = { token: token() }
    const grant = await verifier.authenticate(request)
    assert.ok(grant instanceof Grant)
    assert.equal(grant.json, verifier.authenticateSync(request).json)
    const text = JSON.stringify(request)
    assert.equal((await verifier.authenticateJson(text)).json, grant.json)
    assert.equal(verifier.authenticateJsonSync(text).json, grant.json)
  })

  test('may be the token alone', async () => {
    const alone = token()
    const { json } = verifier.authenticateSync({ token: alone })
    assert.equal(verifier.authenticateSync(alone).json, json)
    assert.equal((await verifier.authenticate(alone)).json, json)
    for (const [text, code] of [['', 'token_missing'], ['x', 'token_malformed'], [`Bearer ${alone}`, 'token_malformed']]) {
      assert.throws(() => decide(text), { class: 'denied', code })
      await assert.rejects(verifier.authenticate(text), { class: 'denied', code })
    }
  })

  test('as a text is a token also if it looks like JSON, and the error names the other method', async () => {
    const text = JSON.stringify({ token: token() })
    const refused = (error) => {
      assert.equal(error.code, 'token_malformed')
      assert.match(error.detail, /; `authenticateJson` takes a request as JSON text$/)
      assert.ok(!inspect(error, { showHidden: true }).includes(text.slice(20, 40)))
      return true
    }
    assert.throws(() => decide(text), refused)
    await assert.rejects(verifier.authenticate(text), refused)
    assert.throws(() => decide({ token: text }), ({ detail }) => !detail.includes('authenticateJson'))
  })

  test('with a token that has other characters than a token is denied as it is in JSON', async () => {
    const [head, ...rest] = token()
    // Written as Latin-1 or as bytes, some of these would become the letter that they replace.
    const similar = String.fromCharCode(head.charCodeAt(0) + 0x100)
    for (const first of [similar, '\u00e9', '\u{1f600}', '\0', ` ${head}`, `${head}\u0000`]) {
      const wrong = first + rest.join('')
      const json = JSON.stringify({ token: wrong })
      const expected = await verifier.authenticateJson(json).then(() => assert.fail('granted'), (error) => error)
      assert.equal(expected.class, 'denied')
      for (const call of [() => decide(wrong), () => decide({ token: wrong }), () => decide({ token: wrong, url: '/' })]) {
        assert.throws(call, { code: expected.code, message: expected.message })
      }
    }
  })

  test('may be the headers that a real server received', async () => {
    const answers = []
    const server = createServer(async (request, response) => {
      const { headers, url, socket } = request
      const answer = await verifier.authenticate({ headers, url, remoteAddr: socket.remoteAddress }).catch((error) => error)
      answers.push(answer)
      response.end()
    })
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
    const ask = (headers) =>
      new Promise((resolve, reject) => {
        get({ port: server.address().port, host: '127.0.0.1', path: '/x', headers }, (response) => response.resume().on('end', resolve)).on('error', reject)
      })
    await ask({ authorization: `Bearer ${token()}`, 'set-cookie': ['a', 'b'] })
    await ask({})
    server.close()
    assert.equal(answers[0].identity.name, 'alice')
    assert.equal(answers[1].code, 'token_missing')
  })

  test('may have headers that are lists, undefined, or without a prototype', () => {
    assert.equal(decide({ headers: { authorization: [`Bearer ${token()}`], 'x-absent': undefined } }), 'alice')
    assert.equal(decide({ headers: Object.assign(Object.create(null), { Authorization: `Bearer ${token()}` }) }), 'alice')
    assert.throws(() => decide({ headers: { authorization: undefined } }), { code: 'token_missing' })
  })

  test('may have the headers of a web request, and repeated ones are not lost', () => {
    const good = `Bearer ${token()}`
    assert.equal(decide({ headers: new Request('http://x', { headers: { Authorization: good } }).headers }), 'alice')
    assert.equal(decide({ headers: new Map([['AUTHORIZATION', good]]) }), 'alice')
    assert.throws(() => decide({ headers: new Headers() }), { code: 'token_missing' })
    const twice = new Headers([['authorization', good], ['authorization', good]])
    assert.throws(() => decide({ headers: twice }), { class: 'denied' })
    const repeated = { *[Symbol.iterator]() { yield ['authorization', good]; yield ['authorization', good] } }
    assert.throws(() => decide({ headers: repeated }), { code: 'token_ambiguous' })
  })

  test('may leave members undefined', () => {
    assert.equal(decide({ token: token(), headers: undefined, url: undefined, profile: undefined, remoteAddr: undefined, cachedOnly: undefined }), 'alice')
  })

  test('has the address of the caller', () => {
    const near = new Verifier(config({ bound_cidrs: ['10.0.0.0/8'] }))
    const headers = { authorization: `Bearer ${token()}` }
    for (const request of [{ token: token() }, { headers }]) {
      assert.equal(decide({ ...request, remoteAddr: '10.1.2.3' }, near), 'alice')
      assert.throws(() => decide({ ...request, remoteAddr: '192.0.2.1' }, near), { code: 'address_not_allowed' })
      for (const remoteAddr of [undefined, '', 'testclient', '/run/app.sock']) {
        assert.throws(() => decide({ ...request, remoteAddr }, near), { code: 'address_not_allowed' })
        assert.equal(decide({ ...request, remoteAddr }), 'alice')
      }
    }
  })

  test('selects a profile', () => {
    const profiled = new Verifier(config({ profiles: { ci: { policies: ['deploy'] } } }))
    const grant = profiled.authenticateSync({ token: token(), profile: 'ci' })
    assert.equal(grant.profile, 'ci')
    assert.deepEqual(grant.entitlements, [{ kind: 'policy', name: 'deploy' }])
    assert.throws(() => profiled.authenticateSync({ token: token(), profile: 'constructor' }), { code: 'profile_unknown' })
  })

  test('has no unknown members', async () => {
    for (const unknown of ['tokn', 'now', '__proto__', 'constructor', '', 'remote_addr', 'cached_only', 'x'.repeat(1000)]) {
      const request = JSON.parse(JSON.stringify({ token: token() }).replace('{', `{"${unknown}":1,`))
      assert.throws(() => decide(request), { name: 'JwtAuthError', class: 'argument', code: 'request_invalid' })
      await assert.rejects(verifier.authenticate(request), { code: 'request_invalid' })
    }
    assert.throws(() => decide({ remote_addr: '10.1.2.3' }), {
      detail: '`remote_addr` is not known; the members of a request are `token`, `headers`, `url`, `profile`, `remoteAddr` and `cachedOnly`',
    })
  })

  test('of a wrong type is a TypeError, from both forms', async () => {
    const wrong = [undefined, null, 1, [], new Map(), { token: 1 }, { token: null }, { token: [] }, { url: new URL('http://x') }, { profile: {} }, { remoteAddr: 1 }, { headers: [] }, { headers: null }, { headers: 'a: b' }, { headers: new Set(["a"]) }, { headers: ["a", "b"] }, { headers: new Map([["a", 1]]) }, { headers: new Map([[1, "a"]]) }, { headers: { a: 1 } }, { headers: { a: null } }, { headers: { a: ['b', 1] } }]
    for (const request of wrong) {
      assert.throws(() => decide(request), wrongType, inspect(request))
      await assert.rejects(verifier.authenticate(request), wrongType)
    }
    for (const text of [undefined, null, {}, { token: token() }]) {
      assert.throws(() => verifier.authenticateJsonSync(text), wrongType)
      await assert.rejects(verifier.authenticateJson(text), wrongType)
    }
  })

  test('of a wrong type never appears in the error', () => {
    const hostile = JSON.parse('{"constructor":{"name":"eyJsecret"},"toString":"eyJsecret"}')
    assert.throws(() => decide({ token: hostile }), (error) => !inspect(error).includes('eyJsecret'))
  })

  test('with a lone surrogate is not UTF-8', async () => {
    const lone = '\ud800'
    const refused = { name: 'JwtAuthError', class: 'argument', code: 'argument_not_utf8' }
    const requests = [lone, `{"token":"${lone}"}`, { token: lone }, { token: lone, url: '/' }, { url: lone }, { profile: lone }, { remoteAddr: lone }, { headers: { [lone]: 'x' } }, { headers: { a: lone } }, { headers: { a: ['b', lone] } }, { [lone]: 1 }]
    for (const request of requests) {
      assert.throws(() => decide(request), refused)
      await assert.rejects(verifier.authenticate(request), refused)
    }
    assert.throws(() => verifier.authenticateJsonSync(`{"token":"${lone}"}`), refused)
    await assert.rejects(verifier.authenticateJson(lone), refused)
    for (const given of [lone, config({ issuer: lone }), config({ [lone]: 1 }), config({ audiences: [lone] })]) {
      assert.throws(() => new Verifier(given), refused)
    }
    assert.equal(new Verifier(config({ issuer: '\u{1f600}' })).policy().config.issuer, '\u{1f600}')
  })

  test('that is not JSON is invalid', () => {
    for (const text of ['', '{', 'null', '[]', '{"token":"a","token":"b"}', `{"token":"${token()}"}\0`]) {
      assert.throws(() => verifier.authenticateJsonSync(text), { code: 'request_invalid' })
    }
  })
})

describe('a failure', () => {
  test('has code, claim and stage, and nothing of the token', async () => {
    const expired = token({ exp: NOW - 3600, sub: 'mallory' })
    const error = await verifier.authenticate({ token: expired }).catch((error) => error)
    assert.ok(error instanceof JwtAuthError && error instanceof Error)
    assert.equal(error.name, 'JwtAuthError')
    assert.equal(error.class, 'denied')
    assert.equal(error.code, 'token_expired')
    assert.equal(error.stage, 'validate_claims')
    assert.equal(error.claim, 'exp')
    assert.equal(error.applicable, true)
    assert.equal(error.http_status, 401)
    assert.match(error.message, /^the token has expired \(claim "exp"\)/)
    const shown = inspect(error, { showHidden: true, depth: null })
    assert.ok(!shown.includes('mallory') && !shown.includes(expired.split('.')[1]))
  })

  test('is an instance of the class of either module style, thrown or rejected', async () => {
    const { JwtAuthError: Required } = require('jwtauth')
    assert.throws(() => verifier.authenticateSync({ token: 'x' }), Required)
    await assert.rejects(verifier.authenticate({ token: 'x' }), Required)
    assert.throws(() => new Verifier('{}'), Required)
  })

  test('has a stack with the caller', async () => {
    async function theCaller() {
      await verifier.authenticate({ token: 'x' })
    }
    const error = await theCaller().catch((error) => error)
    assert.match(error.stack, /theCaller/)
  })

  test('is never returned as a value', async () => {
    const forged = `${token().slice(0, -8)}AAAAAAAA`
    await assert.rejects(verifier.authenticate({ token: forged }), { code: 'signature_invalid' })
    assert.throws(() => verifier.authenticateSync({ token: forged }), { code: 'signature_invalid' })
  })
})

describe('a grant', () => {
  const granted = (claims) => verifier.authenticateSync({ token: token(claims) })

  test('has the parts of the reply', () => {
    const grant = granted({ plan: 'pro' })
    const reply = JSON.parse(grant.json)
    assert.equal(reply.outcome, 'granted')
    for (const part of ['profile', 'identity', 'entitlements', 'revocations', 'session', 'cleaned_url', 'claims']) {
      assert.deepEqual(grant[part], reply[part], part)
    }
    assert.equal(grant.claims.plan, 'pro')
    assert.deepEqual(grant.toJSON(), reply)
    assert.deepEqual(JSON.parse(JSON.stringify({ grant })), { grant: reply })
    assert.equal(JSON.stringify(grant), grant.json)
    assert.deepEqual({ ...grant }, {})
    assert.deepEqual(Object.keys(grant), [])
  })

  test('shows nothing of the token when it is printed', () => {
    const grant = granted({ plan: 'gold' })
    const shown = inspect({ grant }, { showHidden: true, depth: null })
    assert.match(shown, /Grant \{ profile: undefined, entitlements: 0, revocations: 0 \}/)
    assert.ok(!shown.includes('alice') && !shown.includes('gold'))
  })

  test('has entitlements in exactly their scope', () => {
    const role = new Verifier(config({ policies: ['read'] })).authenticateSync({ token: token() })
    assert.equal(role.has('policy', 'read'), true)
    for (const other of [['policy', 'write'], ['role', 'read'], ['policy', ''], ['policy', 'read', '1'], ['policy', 'read', '']]) {
      assert.equal(role.has(...other), false, inspect(other))
    }
    for (const wrong of [[], ['policy'], ['policy', 1], ['policy', 'read', null]]) {
      assert.throws(() => role.has(...wrong), TypeError)
    }
  })

  test('has no inherited scope', async () => {
    const role = new Verifier(config({ policies: ['read'] })).authenticateSync(token())
    const has = await inherited({ scope: '1', variables: {} }, () => [role.has('policy', 'read'), role.has('policy', 'read', '1')])
    assert.deepEqual(has, [true, false])
  })

  test('cannot be changed', () => {
    const grant = granted({ nested: { list: [{ a: 1 }] } })
    assert.throws(() => { grant.identity = {} }, TypeError)
    assert.throws(() => { grant.admin = true }, TypeError)
    assert.throws(() => { grant.identity.name = 'root' }, TypeError)
    assert.throws(() => grant.entitlements.push({ kind: 'role', name: 'admin' }), TypeError)
    assert.throws(() => { grant.claims.nested.list[0].a = 2 }, TypeError)
    assert.throws(() => { grant.toJSON().claims = {} }, TypeError)
    for (const part of ['identity', 'entitlements', 'claims']) assert.equal(grant[part], grant[part])
  })

  test('can be created only by a verifier', () => {
    assert.throws(() => new Grant('{"outcome":"granted"}'), TypeError)
    assert.throws(() => new Grant(undefined, '{"outcome":"granted"}'), TypeError)
    assert.throws(() => Object.create(Grant.prototype).identity, TypeError)
  })

  test('is not affected by claims with special names', () => {
    const payload = JSON.stringify({ iss: 'https://issuer.test', aud: 'api', sub: 'alice', exp: NOW + 600 })
    const { claims } = granted(`${payload.slice(0, -1)},"__proto__":{"admin":true},"constructor":1,"toJSON":2}`)
    assert.equal(claims.admin, undefined)
    assert.equal({}.admin, undefined)
    assert.equal(Object.getPrototypeOf(claims), Object.prototype)
    assert.deepEqual(Object.entries(claims).at(-3), ['__proto__', { admin: true }])
  })

  test('has every part if it is not ASCII, and a claim that looks like a part', () => {
    const grant = granted({ name: 'Zo\u00eb \u{1f600}\u2028', claims: { claims: {} }, text: '},"claims":{' })
    assert.deepEqual(JSON.parse(grant.json).claims, grant.claims)
    assert.equal(grant.claims.name, 'Zo\u00eb \u{1f600}\u2028')
    assert.deepEqual(grant.claims.claims, { claims: {} })
    assert.ok(grant.json.endsWith(`,"claims":${JSON.stringify(grant.claims).replace('\u2028', '\\u2028')}}`))
  })

  test('keeps digits that a JavaScript number cannot hold', () => {
    const payload = `{"iss":"https://issuer.test","aud":"api","sub":"alice","exp":${NOW + 600},"big":9007199254740993}`
    assert.match(granted(payload).json, /"big":9007199254740993/)
  })
})

describe('concurrency', () => {
  test('each promise has the outcome of its request', async () => {
    const names = Array.from({ length: 200 }, (_, index) => `user-${index}`)
    const grants = await Promise.all(names.map((sub) => verifier.authenticate({ token: token({ sub }) })))
    assert.deepEqual(grants.map((grant) => grant.identity.name), names)
  })

  test('each worker thread has a separate verifier', async () => {
    const script = new URL('worker.mjs', import.meta.url)
    const workerData = { config: config(), token: token(), rounds: 50 }
    const answers = await Promise.all(
      Array.from({ length: 4 }, () => new Promise((resolve, reject) => {
        new Worker(script, { workerData }).once('message', resolve).once('error', reject)
      })),
    )
    assert.deepEqual(answers, Array(4).fill({ granted: 50, denied: 50, instances: 50 }))
  })

  test('a worker can be terminated with requests in flight', async () => {
    for (let round = 0; round < 10; round += 1) {
      const worker = new Worker(new URL('worker.mjs', import.meta.url), {
        workerData: { config: config(), token: token(), rounds: 10_000, report: round * 100 },
      })
      // It has made this number of requests, and makes more.
      assert.deepEqual(await once(worker, 'message'), [round * 100])
      await worker.terminate()
    }
    assert.equal(verifier.authenticateSync({ token: token() }).identity.name, 'alice')
  })
})
