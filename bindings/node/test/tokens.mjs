// Keys and tokens for these tests, created at start by Node's cryptography.
import { createSign, generateKeyPairSync } from 'node:crypto'

const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })

export const NOW = 1_700_000_000

export const publicJwk = publicKey.export({ format: 'jwk' })

/** A native configuration that trusts the key of `token`. */
export function config(changes = {}) {
  return {
    dialect: 'native',
    config: {
      keys: [{ pem: publicKey.export({ type: 'spki', format: 'pem' }) }],
      algorithms: ['ES256'],
      issuer: 'https://issuer.test',
      audiences: ['api'],
      ...changes,
    },
    options: { now: NOW },
  }
}

/** A native configuration with keys from a URL. */
export function remote(url, settings = {}) {
  return config({ keys: [url].flat().map((url) => ({ jwks_url: url, ...settings })) })
}

/** The key set with the key of `token`. */
export const keySet = JSON.stringify({ keys: [{ ...publicJwk, kid: 'own' }] })

/** A valid token for `config()` with some claims changed. A text is used as the whole payload. */
export function token(claims = {}, header = {}) {
  const good = { iss: 'https://issuer.test', aud: 'api', sub: 'alice', exp: NOW + 600 }
  const payload = typeof claims === 'string' ? claims : JSON.stringify({ ...good, ...claims })
  const encode = (text) => Buffer.from(text).toString('base64url')
  const signed = `${encode(JSON.stringify({ alg: 'ES256', ...header }))}.${encode(payload)}`
  const signature = createSign('sha256').update(signed).sign({ key: privateKey, dsaEncoding: 'ieee-p1363' })
  return `${signed}.${signature.toString('base64url')}`
}
