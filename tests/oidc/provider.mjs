// A real OpenID Connect provider on loopback: new keys, a free port, tokens by client credentials.
import { generateKeyPair, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { promisify } from 'node:util'

import { Provider } from 'oidc-provider'

/** The algorithms it signs with, each with its kind of key. */
const KEYS = {
  RS256: ['rsa', { modulusLength: 2048 }],
  ES256: ['ec', { namedCurve: 'P-256' }],
  EdDSA: ['ed25519', {}],
}

export const ALGORITHMS = Object.keys(KEYS)
export const CLIENT = 'build-machine'
export const GROUPS = ['engineering', 'support']
export const LIFETIME = 600

/** The resource server whose tokens are signed with an algorithm; its name becomes the audience. */
export const resource = (algorithm) => `https://${algorithm.toLowerCase()}.api.test`

/** Starts a provider. The caller must stop it. */
export async function start() {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const issuer = `http://127.0.0.1:${server.address().port}`
  const secret = randomBytes(24).toString('base64url')
  const requests = []
  let keys = []
  let next = generate()
  /** Signs with new keys from now on. The previous keys stay published; older keys do not. */
  async function rotate() {
    keys = [...(await next), ...keys.slice(0, ALGORITHMS.length)]
    next = generate()
    const provider = new Provider(issuer, settings(secret, keys))
    provider.use((context, next) => {
      requests.push(context.path)
      return next()
    })
    server.removeAllListeners('request').on('request', provider.callback())
  }
  await rotate()

  const metadata = await json(fetch(`${issuer}/.well-known/openid-configuration`))
  return {
    issuer,
    jwks_uri: metadata.jwks_uri,
    rotate,
    /** The path of every request that it has received. */
    requests,
    /** The published key set. */
    keys: () => json(fetch(metadata.jwks_uri)),
    /** An access token for a resource server, from the token endpoint. */
    async token(audience, scope = 'read write') {
      const reply = await json(
        fetch(metadata.token_endpoint, {
          method: 'POST',
          headers: { authorization: `Basic ${Buffer.from(`${CLIENT}:${secret}`).toString('base64')}` },
          body: new URLSearchParams({ grant_type: 'client_credentials', resource: audience, scope }),
        }),
      )
      return reply.access_token
    },
    async stop() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

/** A new key for each algorithm. */
const generate = () =>
  Promise.all(
    Object.entries(KEYS).map(async ([alg, [type, options]]) => ({
      ...(await promisify(generateKeyPair)(type, options)).privateKey.export({ format: 'jwk' }),
      alg,
      use: 'sig',
      kid: `test-${alg.toLowerCase()}-${randomBytes(6).toString('hex')}`,
    })),
  )

function settings(secret, keys) {
  return {
    jwks: { keys },
    clients: [
      {
        client_id: CLIENT,
        client_secret: secret,
        grant_types: ['client_credentials'],
        response_types: [],
        redirect_uris: [],
      },
    ],
    ttl: { ClientCredentials: LIFETIME },
    extraTokenClaims: () => ({ groups: GROUPS, org: { id: 'acme', plan: 'pro' } }),
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo(_context, audience) {
          const alg = ALGORITHMS.find((algorithm) => resource(algorithm) === audience)
          const format = alg === undefined ? {} : { accessTokenFormat: 'jwt', jwt: { sign: { alg } } }
          return { scope: 'read write', accessTokenTTL: LIFETIME, ...format }
        },
      },
    },
  }
}

async function json(pending) {
  const response = await pending
  const body = await response.json()
  if (!response.ok) throw new Error(`${response.url} responds with ${response.status}: ${JSON.stringify(body)}`)
  return body
}
