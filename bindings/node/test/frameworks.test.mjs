// The integrations with web frameworks: real applications on real servers, with real tokens of an OpenID Connect provider.
import assert from 'node:assert/strict'
import { Agent, request } from 'node:http'
import { after, before, describe, test } from 'node:test'

import { Verifier } from 'jwtauth'
import { APPS, MISTAKES, REQUIREMENTS } from './frameworks/apps.mjs'
import { startProvider } from './frameworks/provider.mjs'
import { keyServer } from './key-server.mjs'
import { config, NOW, token } from './tokens.mjs'

const provider = startProvider()
const { issuer, jwks_uri, audiences } = await provider.ask('describe')
const [issued] = await provider.ask('tokens')
const broken = await keyServer((request, response) => response.destroy())
after(() => provider.stop())

const issuedAt = JSON.parse(Buffer.from(issued.split('.')[1], 'base64url')).iat
// The time stands still, so that a slow run does not see the tokens expire.
const fetched = (changes = {}, now = issuedAt) => ({
  dialect: 'native',
  config: {
    keys: [{ jwks_url: jwks_uri }],
    algorithms: ['RS256'],
    issuer,
    audiences: [audiences[0]],
    identity: { name: 'client_id', groups: 'groups' },
    policies: ['deploy'],
    ...changes,
  },
  options: { now },
})
const vault = {
  jwt_supported_algs: ['RS256'],
  jwks_url: jwks_uri,
  default_role: 'machine',
  roles: { machine: { role_type: 'jwt', user_claim: 'client_id', bound_audiences: audiences } },
}

const bearer = (text) => ({ authorization: `Bearer ${text}` })
const CHALLENGE = 'Bearer realm="test"'
const challenge = (error, description) => `${CHALLENGE}, error="${error}", error_description="${description}"`
const NOT_ENOUGH = challenge('insufficient_scope', 'the grant does not have what this request requires')

for (const [name, start] of Object.entries(APPS)) {
  describe(`an application with ${name}`, () => {
    let app

    before(async () => {
      app = await start({
        main: new Verifier(fetched()),
        late: new Verifier(fetched({}, issuedAt + 3600)),
        down: new Verifier(fetched({ keys: [{ jwks_url: broken.url }] })),
        strict: new Verifier(fetched({ claims: [{ claim: 'client_id', equals: 'somebody else' }] })),
        away: new Verifier(fetched({ bound_cidrs: ['192.0.2.0/24'] })),
        here: new Verifier(fetched({ bound_cidrs: ['127.0.0.0/8', '::1/128'] })),
        vault: new Verifier({ dialect: 'vault', config: vault, options: { now: issuedAt } }),
        own: new Verifier(config()),
      })
    })
    after(() => app.close())

    /** Sends a request, and checks that a refused one has not reached the handler and shows nothing of the token. */
    async function ask(path, headers = {}, method = 'GET') {
      const reached = app.reached.length
      const answer = await send(`${app.url}${path}`, { headers, method })
      if (answer.status >= 400) {
        assert.equal(app.reached.length, reached)
        assert.doesNotMatch(answer.text, /eyJ|build-machine|somebody else|at \w+ \(|node_modules/)
      }
      return answer
    }
    const refused = async (path, headers, status, code, wanted, method) => {
      const answer = await ask(path, headers, method)
      assert.deepEqual(
        { status: answer.status, code: answer.json?.code, challenge: answer.headers['www-authenticate'] },
        { status, code: method === 'HEAD' ? undefined : code, challenge: wanted },
      )
      return answer
    }

    test('lets in a token of the provider', async () => {
      for (const path of ['/me', '/me?x=1', '/mounted/me', '/deploy', '/staff', '/here', '/vault']) {
        const { status, json } = await ask(path, bearer(issued))
        assert.deepEqual({ path, status, json }, { path, status: 200, json: { name: 'build-machine' } })
      }
    })

    test('refuses a request without a token', async () => {
      for (const path of ['/me', '/mounted/me', ...Object.keys(REQUIREMENTS), '/vault']) {
        const { json, headers } = await refused(path, {}, 401, 'token_missing', CHALLENGE)
        assert.equal(json.error, 'unauthorized')
        assert.match(headers['content-type'], /^application\/json/)
      }
      await refused('/me', { authorization: 'Basic eHl6' }, 401, 'token_missing', CHALLENGE)
    })

    test('refuses a wrong token', async () => {
      const forged = `${issued.slice(0, -8)}AAAAAAAA`
      for (const path of ['/me', '/deploy', '/vault']) {
        await refused(path, bearer(forged), 401, 'signature_invalid', challenge('invalid_token', 'the signature is invalid'))
      }
      await refused('/late', bearer(issued), 401, 'token_expired', challenge('invalid_token', 'the token has expired'))
      await refused('/own', bearer(issued), 401, 'algorithm_not_allowed', challenge('invalid_token', "the token's algorithm is not allowed"))
      await refused('/me', bearer(token()), 401, 'algorithm_not_allowed', challenge('invalid_token', "the token's algorithm is not allowed"))
    })

    test('refuses two tokens', async () => {
      for (const path of ['/me', '/vault']) {
        const { status, json } = await ask(path, { authorization: [`Bearer ${issued}`, 'Bearer a.b.c'] })
        assert.equal(status, 401)
        // Where the headers come joined, they are one token of the wrong form.
        assert.match(json.code, /^token_(ambiguous|malformed)$/)
      }
    })

    test('refuses a valid token that is not enough', async () => {
      for (const path of ['/admin', '/both']) {
        const { json } = await refused(path, bearer(issued), 403, undefined, NOT_ENOUGH)
        assert.equal(json.error, 'insufficient_scope')
      }
      const mismatch = challenge('insufficient_scope', 'a claim does not have the required value')
      await refused('/strict', bearer(issued), 403, 'claim_mismatch', mismatch)
      const outside = challenge('insufficient_scope', "the caller's address is outside the allowed networks")
      await refused('/away', { ...bearer(issued), 'x-forwarded-for': '192.0.2.1' }, 403, 'address_not_allowed', outside)
    })

    test('responds with 503 while the keys are out of reach', async () => {
      const { headers, json } = await refused('/down', bearer(issued), 503, 'key_source_unavailable', undefined)
      assert.equal(headers['retry-after'], '7')
      assert.equal(json.error, 'temporarily_unavailable')
      assert.equal(json.message, 'the keys are currently unavailable')
    })

    test('responds with 500 to a mistake of the program, and tells only the program', async () => {
      for (const path of Object.keys(MISTAKES)) {
        const { headers, text, json } = await refused(`/${path}`, bearer(issued), 500, undefined, undefined)
        assert.deepEqual(json, { error: 'server_error', message: 'internal error' }, text)
        assert.equal(headers['retry-after'], undefined)
      }
    })

    test('decides every method', async () => {
      for (const method of ['HEAD', 'POST', 'OPTIONS', 'PUT', 'DELETE']) {
        const { status } = await ask('/me', {}, method)
        // A router may find no route first. A handler is never reached.
        assert.ok(status === 401 || status === 404, `${method}: ${status}`)
        if (method === 'HEAD') assert.equal(status, 401)
      }
      await refused('/me', {}, 401, 'token_missing', CHALLENGE, 'HEAD')
      assert.equal((await ask('/me', bearer(issued), 'HEAD')).status, 200)
      assert.ok((await ask('/me', bearer(issued), 'POST')).status < 300)
    })

    test('has routes without a grant where they are configured', async () => {
      assert.deepEqual((await ask('/public', bearer(issued))).json, { name: null })
      assert.deepEqual((await ask('/public')).json, { name: null })
      if (name.startsWith('nestjs')) return
      assert.deepEqual((await ask('/optional')).json, { name: null })
      assert.deepEqual((await ask('/optional', bearer(issued))).json, { name: 'build-machine' })
      await refused('/optional', bearer('a.b.c'), 401, 'token_malformed', challenge('invalid_token', 'the token is not a compact JWS'))
    })

    test('keeps concurrent requests apart', async () => {
      const asked = Array.from({ length: 120 }, async (_, number) => {
        switch (number % 4) {
          case 0:
            return (await send(`${app.url}/own`, { headers: bearer(token({ sub: `user-${number}` })) })).json.name === `user-${number}`
          case 1:
            return (await send(`${app.url}/own`, { headers: bearer(token({ exp: NOW - 600 })) })).json.code === 'token_expired'
          case 2:
            return (await send(`${app.url}/admin`, { headers: bearer(issued) })).status === 403
          default:
            return (await send(`${app.url}/me`, { headers: bearer(issued) })).json.name === 'build-machine'
        }
      })
      assert.deepEqual(await Promise.all(asked), Array(120).fill(true))
    })

    test('forgets the grant of a request on a connection that stays open', async () => {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 })
      assert.equal((await send(`${app.url}/me`, { headers: bearer(issued), agent })).status, 200)
      assert.equal((await send(`${app.url}/me`, { agent })).status, 401)
      assert.equal((await send(`${app.url}/me`, { headers: bearer(issued), agent })).status, 200)
      agent.destroy()
    })
  })
}

/** Sends a request with Node's own client, which can send a header twice. */
function send(url, { headers, method, agent } = {}) {
  return new Promise((resolve, reject) => {
    request(url, { headers, method, agent }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (part) => { text += part })
      response.on('end', () => {
        const isJson = /json/.test(response.headers['content-type'] ?? '') && text !== ''
        resolve({ status: response.statusCode, headers: response.headers, text, json: isJson ? JSON.parse(text) : undefined })
      })
    })
      .on('error', reject)
      .end()
  })
}
