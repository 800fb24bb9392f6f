// An application with Fastify, for frameworks.mjs: the same route without a check, with jwtauth, and with @fastify/jwt.
import { createPublicKey } from 'node:crypto'

import fastifyJwt from '@fastify/jwt'
import fastify from 'fastify'
import { Verifier } from 'jwtauth'
import { jwtAuth } from 'jwtauth/fastify'

const { issuer, audience, keys } = JSON.parse(process.env.SETTINGS)
const app = fastify()

app.get('/plain', async () => ({ name: 'somebody' }))
for (const [alg, { source, secret, jwk }] of Object.entries(keys)) {
  const config = { keys: [source], algorithms: [alg], issuer, audiences: [audience] }
  const auth = jwtAuth(new Verifier({ dialect: 'native', config }))
  app.get(`/jwtauth/${alg}`, { onRequest: auth.requires() }, async (request) => ({ name: request.auth.identity.name }))
  await app.register(async (instance) => {
    const pem = () => createPublicKey({ key: jwk, format: 'jwk' }).export({ type: 'spki', format: 'pem' })
    await instance.register(fastifyJwt, {
      secret: secret === undefined ? { public: pem() } : Buffer.from(secret, 'base64url'),
      verify: { algorithms: [alg], allowedIss: issuer, allowedAud: audience, requiredClaims: ['exp'], cache: false },
    })
    const check = { onRequest: (request) => request.jwtVerify() }
    instance.get(`/fastify-jwt/${alg}`, check, async (request) => ({ name: request.user.sub }))
  })
}
await app.listen({ host: '127.0.0.1', port: 0 })
process.send(app.server.address().port)
