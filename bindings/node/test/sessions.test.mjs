// Sessions in JavaScript: the verbs as promises and on the calling thread, arguments, errors, and what is printed.
import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { inspect } from 'node:util'

import { FetchError, JwtAuthError, Login, SessionInfo, Sessions, Verifier } from 'jwtauth'
import { inherited } from './inherited.mjs'
import { config, keySet, NOW, remote, token } from './tokens.mjs'

const wrongType = { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' }
const unknown = { name: 'JwtAuthError', class: 'denied', code: 'session_unknown', stage: 'session' }

/** Sessions in memory with predictable tokens, in a native policy with these members. */
const settings = (changes = {}, sessions = {}) => ({
  ...config({ policies: ['read'], session: { ttl: '1h', max_ttl: '8h' }, ...changes }),
  sessions: { seed: 1, ...sessions },
})
/** The same at another time. */
const later = (seconds, changes) => ({ ...settings(changes), options: { now: NOW + seconds } })

/** Consul's dialect, which keeps `meta`. */
const consul = {
  dialect: 'consul',
  config: {
    AuthMethod: {
      Name: 'cluster',
      Type: 'jwt',
      MaxTokenTTL: '1h',
      Config: {
        BoundIssuer: 'https://issuer.test',
        BoundAudiences: ['api'],
        JWTSupportedAlgs: ['ES256'],
        JWTValidationPubKeys: config().config.keys.map(({ pem }) => pem),
      },
    },
    BindingRules: [{ Selector: '', BindType: 'service', BindName: 'web' }],
  },
  options: { now: NOW },
}

const forms = {
  'as promises': (sessions, verb, ...given) => sessions[verb](...given),
  'on the calling thread': async (sessions, verb, ...given) => sessions[`${verb}Sync`](...given),
}

for (const [form, call] of Object.entries(forms)) {
  describe(`the verbs ${form}`, () => {
    test('log in, check later requests, and log out', async () => {
      const sessions = new Sessions(settings())
      const login = await call(sessions, 'login', token())
      assert.ok(login instanceof Login)
      assert.match(login.token, /^jas\./)
      assert.equal(login.session.subject, 'alice')
      assert.equal(login.response.token, login.token)
      const session = await call(sessions, 'authorize', login.token)
      assert.ok(session instanceof SessionInfo)
      assert.deepEqual([session.type, session.ttl, session.expires_at], ['service', 3600, NOW + 3600])
      assert.deepEqual(session.identity.name, 'alice')
      assert.ok(session.has('policy', 'read') && !session.has('policy', 'write'))
      assert.equal(await call(sessions, 'revoke', login.token), undefined)
      await assert.rejects(call(sessions, 'authorize', login.token), unknown)
      await assert.rejects(call(sessions, 'revoke', login.token), unknown)
    })

    test('look sessions up, by token and by accessor', async () => {
      const sessions = new Sessions(settings())
      const { token: held, accessor, session } = await call(sessions, 'login', token())
      for (const found of [await call(sessions, 'lookup', held), await call(sessions, 'lookupAccessor', accessor)]) {
        assert.deepEqual(found.toJSON(), session.toJSON())
      }
      await assert.rejects(call(sessions, 'lookup', accessor), unknown)
      await assert.rejects(call(sessions, 'lookupAccessor', held), unknown)
      await call(sessions, 'revokeAccessor', accessor)
      await assert.rejects(call(sessions, 'lookupAccessor', accessor), unknown)
    })

    test('renew, with and without a wish', async () => {
      const sessions = new Sessions(settings())
      const login = await call(sessions, 'login', token())
      for (const [given, ttl] of [[[], 3600], [[0], 3600], [[undefined], 3600], [[60], 60]]) {
        const renewed = await call(sessions, 'renew', login.token, ...given)
        assert.ok(renewed instanceof Login)
        assert.deepEqual([renewed.token, renewed.accessor], [login.token, login.accessor])
        assert.equal(renewed.session.ttl, ttl)
      }
    })

    test('end the sessions of a subject or a profile, and remove what has ended', async () => {
      const sessions = new Sessions(settings({ profiles: { web: { policies: ['web'] } } }))
      for (const sub of ['alice', 'alice', 'bob']) await call(sessions, 'login', token({ sub }))
      await call(sessions, 'login', { token: token({ sub: 'carol' }), profile: 'web' })
      assert.equal(await call(sessions, 'revokeAll', { subject: 'alice' }), 2)
      assert.equal(await call(sessions, 'revokeAll', { subject: 'alice' }), 0)
      assert.equal(await call(sessions, 'revokeAll', { profile: 'web' }), 1)
      assert.equal(await call(sessions, 'sweep'), 0)
      const tomorrow = await call(sessions, 'reload', later(86_400))
      assert.equal(await call(tomorrow, 'sweep'), 1)
    })

    test('check the address where sessions are bound to networks', async () => {
      const sessions = new Sessions(settings({ session: { ttl: '1h', bound_cidrs: ['10.0.0.0/8'] } }))
      const { token: held } = await call(sessions, 'login', token())
      assert.equal((await call(sessions, 'authorize', held, '10.1.2.3')).subject, 'alice')
      for (const other of [undefined, '', '192.0.2.1', '/run/app.sock']) {
        await assert.rejects(call(sessions, 'authorize', held, other), { class: 'denied', code: 'session_address_not_allowed' })
      }
    })

    test('take a request as a decision does', async () => {
      const sessions = new Sessions(settings())
      const headers = { authorization: `Bearer ${token()}` }
      for (const request of [{ token: token() }, { headers, url: '/x' }, { headers: new Headers(headers) }]) {
        const given = { ...request, profile: undefined, remoteAddr: '10.1.2.3', cachedOnly: true }
        assert.equal((await call(sessions, 'login', given)).session.subject, 'alice')
      }
    })

    test('keep the texts of meta', async () => {
      const sessions = new Sessions(consul)
      const jwt = token({ iat: NOW, nbf: NOW })
      const { response, session } = await call(sessions, 'login', { token: jwt, meta: { pod: 'web-1' } })
      assert.match(response.Description, /"pod":"web-1"/)
      assert.equal(session.auth_method, 'cluster')
      for (const meta of [{}, undefined]) {
        const other = await call(sessions, 'login', { token: jwt, meta })
        assert.doesNotMatch(other.session.description, /pod/)
      }
      const other = await inherited({ meta: { pod: 'web-2' } }, () => call(sessions, 'login', { token: jwt }))
      assert.doesNotMatch(other.session.description, /pod/)
      assert.equal(await call(sessions, 'revokeAll', { profile: 'cluster' }), 4)
    })

    test('count each use once', async () => {
      const sessions = new Sessions(settings({ session: { ttl: '1h', num_uses: 25 } }))
      const { token: held } = await call(sessions, 'login', token())
      const uses = await Promise.allSettled(Array.from({ length: 40 }, () => call(sessions, 'authorize', held)))
      const left = uses.filter(({ status }) => status === 'fulfilled').map(({ value }) => value.uses_left)
      assert.deepEqual(left.sort((one, other) => one - other), Array.from({ length: 25 }, (_, index) => index))
      assert.ok(uses.every(({ status, reason }) => status === 'fulfilled' || reason.code === 'session_unknown'))
    })

    test('deny a login as the verifier does', async () => {
      const sessions = new Sessions(settings())
      for (const wrong of ['x', token({ exp: NOW - 3600 }), token({ aud: 'other' }), { headers: {} }, { token: token(), profile: 'none' }]) {
        const expected = await sessions.verifier.authenticate(wrong).catch((error) => ({ ...error }))
        await assert.rejects(call(sessions, 'login', wrong), (error) => {
          assert.ok(error instanceof JwtAuthError)
          assert.deepEqual({ ...error }, expected)
          return error.class === 'denied'
        })
      }
    })

    test('refuse arguments of a wrong type', async () => {
      const sessions = new Sessions(settings())
      const wrong = [
        ['login'], ['login', 1], ['login', null], ['login', []], ['login', { token: 1 }], ['login', new Map()],
        ['login', { token: 'x', meta: 'y' }], ['login', { token: 'x', meta: { pod: 1 } }], ['login', { token: 'x', meta: null }],
        ['lookup'], ['lookup', {}], ['lookupAccessor', 1], ['renew'], ['revoke', null], ['revokeAccessor'],
        ['revokeAll'], ['revokeAll', 'alice'], ['revokeAll', { subject: 1 }], ['authorize', undefined], ['authorize', 'x', 1],
        ['authorize', 'x', null], ['reload'], ['reload', 1], ['callJson'], ['callJson', 'lookup'], ['callJson', 'lookup', {}],
      ]
      for (const [verb, ...given] of wrong) {
        await assert.rejects(call(sessions, verb, ...given), wrongType, inspect([verb, ...given]))
      }
      for (const increment of [-1, 0.5, NaN, Infinity, '60', null, 2 ** 53]) {
        await assert.rejects(call(sessions, 'renew', 'x', increment), { name: 'TypeError', code: 'ERR_INVALID_ARG_VALUE' })
      }
    })

    test('refuse what is not UTF-8, and members that are not known', async () => {
      const sessions = new Sessions(settings())
      const lone = '\ud800'
      const wrong = [
        ['login', lone], ['login', { token: lone }], ['login', { url: lone }], ['login', { token: 'x', profile: lone }],
        ['login', { token: 'x', remoteAddr: lone }], ['login', { token: 'x', meta: { pod: lone } }], ['login', { token: 'x', meta: { [lone]: 'x' } }],
        ['lookup', lone], ['lookupAccessor', lone], ['renew', lone], ['revoke', lone], ['revokeAccessor', lone],
        ['revokeAll', { subject: lone }], ['authorize', lone], ['authorize', 'x', lone], ['callJson', lone, '{}'], ['callJson', 'sweep', lone],
      ]
      for (const [verb, ...given] of wrong) {
        await assert.rejects(call(sessions, verb, ...given), { class: 'argument', code: 'argument_not_utf8' }, inspect([verb, ...given]))
      }
      await assert.rejects(call(sessions, 'login', { tokn: 'x' }), { class: 'argument', code: 'request_invalid', detail: /`tokn` is not known/ })
      for (const group of [{}, { profile: 'a', subject: 'b' }, { subjects: 'a' }, JSON.parse('{"__proto__":"a"}')]) {
        await assert.rejects(call(sessions, 'revokeAll', group), { class: 'argument', code: 'session_request_invalid', stage: 'session' })
      }
    })

    test('can be called with JSON, which fails with a reply', async () => {
      const sessions = new Sessions(settings())
      const json = async (verb, request) => JSON.parse(await call(sessions, 'callJson', verb, JSON.stringify(request)))
      const login = await json('login', { token: token(), remote_addr: '10.1.2.3' })
      assert.equal(login.outcome, 'login')
      assert.deepEqual((await json('authorize', { token: login.token })).session, login.session)
      const failed = { outcome: 'failed', class: 'denied', code: 'session_unknown', stage: 'session' }
      const { message, ...rest } = await json('authorize', { token: 'jas.other' })
      assert.deepEqual(rest, failed)
      assert.equal((await json('login', { token: 'x' })).code, 'token_malformed')
      assert.equal((await json('login', { tokn: 'x' })).code, 'request_invalid')
      assert.equal((await json('sweep', {})).outcome, 'swept')
      for (const verb of ['logout', 'loginSync', '', 'constructor']) {
        assert.equal((await json(verb, {})).code, 'session_request_invalid')
      }
      assert.equal(JSON.parse(await call(sessions, 'callJson', 'lookup', '{')).code, 'session_request_invalid')
    })

    test('reload with another time, and keep the sessions', async () => {
      const sessions = new Sessions(settings())
      const { token: held } = await call(sessions, 'login', token())
      const soon = await call(sessions, 'reload', later(3599, { policies: ['write'] }))
      assert.ok(soon instanceof Sessions)
      const session = await call(soon, 'authorize', held)
      assert.equal(session.ttl, 1)
      assert.ok(session.has('policy', 'read') && !session.has('policy', 'write'))
      await assert.rejects(call(await call(soon, 'reload', JSON.stringify(later(3600))), 'authorize', held), unknown)
      assert.equal((await call(sessions, 'authorize', held)).subject, 'alice')
    })

    test('do not reload a wrong configuration or another store', async () => {
      const sessions = new Sessions(settings())
      const { token: held } = await call(sessions, 'login', token())
      await assert.rejects(call(sessions, 'reload', '{'), { class: 'config', stage: 'configure' })
      const other = settings({}, { store: { memory: { max_sessions: 7 } } })
      await assert.rejects(call(sessions, 'reload', other), { class: 'config', code: 'sessions_invalid', detail: /^`sessions\.store`/ })
      await assert.rejects(call(sessions, 'reload', consul), { class: 'config', code: 'sessions_invalid' })
      assert.equal((await call(sessions, 'lookup', held)).subject, 'alice')
    })

    test('answer unavailable if the store is not there, and give out no token', async () => {
      const away = new Sessions({ ...config(), sessions: { store: { sqlite: { path: '/nowhere/at/all/sessions.db' } } } })
      for (const [verb, given] of [['login', token()], ['authorize', 'jas.x'], ['revoke', 'jas.x'], ['revokeAll', { subject: 'a' }], ['sweep']]) {
        await assert.rejects(call(away, verb, given), { class: 'unavailable', code: 'store_unavailable', stage: 'session' })
      }
      // The decision comes before.
      await assert.rejects(call(away, 'login', 'x'), { class: 'denied', code: 'token_malformed' })
    })

    test('make batch tokens, which need no store', async () => {
      const key = Buffer.alloc(32, 'k').toString('base64url')
      const sessions = new Sessions(settings({ session: { ttl: '1h', token_type: 'batch' } }, { batch_keys: [{ id: '1', key }] }))
      const { token: held, accessor, session } = await call(sessions, 'login', token())
      assert.match(held, /^jab\./)
      assert.equal(accessor, undefined)
      assert.equal(session.type, 'batch')
      assert.equal((await call(sessions, 'authorize', held)).subject, 'alice')
      await assert.rejects(call(sessions, 'revoke', held), { code: 'batch_token_limited' })
    })
  })
}

describe('sessions', () => {
  test('are classes of both module styles', () => {
    const commonjs = createRequire(import.meta.url)('jwtauth')
    assert.deepEqual([commonjs.Sessions, commonjs.Login, commonjs.SessionInfo], [Sessions, Login, SessionInfo])
  })

  test('are built from an object or from text, and report what is wrong', () => {
    for (const given of [settings(), JSON.stringify(settings()), config()]) {
      assert.equal(new Sessions(given).loginSync(token()).session.subject, 'alice')
    }
    for (const given of [undefined, null, 1, [], new Map()]) assert.throws(() => new Sessions(given), wrongType)
    assert.throws(() => new Sessions(settings(), { fetch: 1 }), wrongType)
    assert.throws(() => new Sessions(settings(), { fecth: fetch }), { code: 'ERR_INVALID_ARG_VALUE' })
    const wrong = [
      [{ ...config(), sessions: { store: {} } }, 'sessions_invalid', /^`sessions\.store`: must have one of/],
      [settings({}, { ttl: '1h' }), 'sessions_invalid', /ttl/],
      [{ ...settings(), options: {} }, 'sessions_invalid', /^`sessions\.seed`/],
      [{ dialect: 'grafana', config: { ini: '[auth.jwt]\nenabled = true\njwk_set_file = x\n' } }, 'sessions_unsupported'],
      [{ ...settings(), dialetc: 1 }, 'config_invalid', /dialetc/],
      ['{', 'config_invalid'],
    ]
    for (const [given, code, detail] of wrong) {
      assert.throws(() => new Sessions(given), (error) => {
        assert.ok(error instanceof JwtAuthError)
        assert.deepEqual([error.class, error.code], ['config', code])
        assert.match(error.detail ?? '', detail ?? /^/)
        return true
      })
    }
    assert.throws(() => new Verifier(settings()), { class: 'config', code: 'config_invalid' })
  })

  test('are built from a file, whose folder has the database', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'jwtauth-'))
    t.after(() => rmSync(folder, { recursive: true }))
    const path = join(folder, 'sessions.json')
    writeFileSync(path, JSON.stringify({ ...config(), sessions: { store: { sqlite: { path: 'sessions.db' } } } }))
    for (const given of [path, pathToFileURL(path)]) {
      const sessions = Sessions.fromFile(given)
      assert.ok(sessions instanceof Sessions)
      assert.equal((await sessions.login(token())).session.subject, 'alice')
    }
    assert.ok(existsSync(join(folder, 'sessions.db')))
    writeFileSync(path, JSON.stringify({ ...config(), sessions: { store: {} } }))
    for (const [given, code] of [[path, 'sessions_invalid'], [join(folder, 'absent.json'), 'config_invalid']]) {
      assert.throws(() => Sessions.fromFile(given), (error) => error.code === code && error.detail.includes(given))
    }
    for (const given of [undefined, null, 1, {}, config()]) assert.throws(() => Sessions.fromFile(given), wrongType)
  })

  test('start the relative paths of a reload in the folder of the file', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'jwtauth-'))
    t.after(() => rmSync(folder, { recursive: true }))
    const path = join(folder, 'sessions.json')
    const keyed = { ...config(), sessions: { batch_keys: [{ id: 'a', key_file: 'batch.key' }] } }
    writeFileSync(join(folder, 'batch.key'), 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8')
    writeFileSync(path, JSON.stringify(keyed))
    const sessions = Sessions.fromFile(path)
    const login = await sessions.login(token())
    const reloaded = (await sessions.reload(keyed)).reloadSync(keyed)
    assert.equal((await reloaded.authorize(login.token)).subject, 'alice')
    assert.throws(() => new Sessions(keyed), (error) => error.code === 'sessions_invalid')
  })

  test('show no token and no claim when they are printed', async () => {
    const sessions = new Sessions(settings())
    const login = await sessions.login(token())
    const denied = await sessions.authorize(`${login.token}x`).catch((error) => error)
    const session = await sessions.authorize(login.token)
    const shown = inspect({ sessions, login, denied, session }, { showHidden: true, depth: null, getters: true })
    assert.match(inspect(login, { breakLength: Infinity }), /^Login \{ session: SessionInfo \{ profile: undefined, expires_at: 1700003600, uses_left: undefined \} \}$/)
    for (const secret of [login.token, login.accessor, 'alice', session.entity_id]) assert.ok(!shown.includes(secret))
    assert.equal(JSON.stringify({ login }), '{"login":{}}')
  })

  test('give results that cannot be changed or made', () => {
    const { token: held, session, json, response } = new Sessions(settings()).loginSync(token())
    assert.deepEqual(JSON.parse(json).session, JSON.parse(JSON.stringify(session)))
    assert.ok(json.endsWith(`,"response":${JSON.stringify(response)}}`))
    assert.equal(JSON.parse(json).token, held)
    assert.throws(() => { response.token = 'x' }, TypeError)
    assert.throws(() => { session.admin = true }, TypeError)
    assert.throws(() => { session.identity.name = 'root' }, TypeError)
    assert.throws(() => session.entitlements.push({ kind: 'role', name: 'admin' }), TypeError)
    assert.throws(() => new SessionInfo(undefined, {}), TypeError)
    assert.throws(() => new Login(undefined, '{}', {}), TypeError)
    assert.throws(() => Object.create(SessionInfo.prototype).subject, TypeError)
  })

  test('share their verifier', async () => {
    const sessions = new Sessions(settings())
    const { verifier } = sessions
    assert.ok(verifier instanceof Verifier)
    assert.equal(sessions.verifier, verifier)
    await sessions.login(token())
    await assert.rejects(sessions.login('x'))
    assert.equal((await verifier.authenticate(token())).identity.name, 'alice')
    assert.equal((await verifier.authenticateMany([token()]))[0].status, 'fulfilled')
    assert.equal((await verifier.explain(token())).decision.status, 'fulfilled')
    const { granted, denied } = verifier.counters()
    assert.deepEqual([granted, denied], [4, { token_malformed: 1 }])
    assert.equal(verifier.policy().config.session.ttl, '1h')
    assert.deepEqual(await verifier.refreshKeys(), [{ source: 'keys[0].pem', state: 'fixed', keys: 1, kids: [] }])
  })

  test('report the decisions of logins, before the calls have their results', async () => {
    const events = []
    const sessions = new Sessions(settings(), { onEvent: (event) => events.push(event) })
    const { token: held } = await sessions.login(token())
    assert.equal(events.length, 1)
    sessions.loginSync(token())
    await assert.rejects(sessions.login('x'))
    await sessions.authorize(held)
    assert.deepEqual(events.map(({ event, outcome }) => [event, outcome]), ['granted', 'granted', 'denied'].map((outcome) => ['decision', outcome]))
    const next = await sessions.reload(settings())
    await next.login(token())
    await sessions.verifier.authenticate(token())
    assert.equal(events.length, 5)
    assert.doesNotMatch(JSON.stringify(events), /alice/)
  })
})

describe('sessions with keys from a fetch function', () => {
  const url = 'https://issuer.test/keys'

  test('log in with fetched keys, and fetch once for all', async () => {
    const asked = []
    const fetch = async (request) => {
      asked.push(request.url)
      return { status: 200, body: keySet }
    }
    const sessions = new Sessions(remote(url), { fetch })
    // It cannot wait for the function.
    assert.throws(() => sessions.loginSync(token()), { class: 'unavailable', code: 'key_source_unavailable', detail: /`loginSync` cannot wait/ })
    const logins = await Promise.all(Array.from({ length: 50 }, () => sessions.login(token())))
    assert.equal(new Set(logins.map((login) => login.token)).size, 50)
    assert.equal((await sessions.callJson('login', JSON.stringify({ token: token() }))).startsWith('{"outcome":"login"'), true)
    assert.deepEqual(asked, [url])
    assert.equal(sessions.loginSync(token()).session.subject, 'alice')
    const next = sessions.reloadSync(remote(url))
    assert.equal((await next.login(token())).session.subject, 'alice')
    assert.deepEqual(asked, [url, url])
    assert.equal((await next.authorize(logins[0].token)).subject, 'alice')
  })

  test('are unavailable if the function fails', async () => {
    const fetch = () => {
      throw new FetchError('connect', 'the proxy is down')
    }
    await assert.rejects(new Sessions(remote(url), { fetch }).login(token()), { class: 'unavailable', detail: /connect: the proxy is down/ })
  })
})
