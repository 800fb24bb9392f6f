// What a decision costs in Node, compared with other packages: `.ci/bench-node` runs it.
//
// Every package checks the signature, issuer, audience and times of the same token, and its claims are read. The packages
// take turns in batches of about 2 ms, so that other load slows down all of them. `ratio` is the median, over all turns,
// of the package's time divided by that of the synchronous jwtauth in the same turn. Prints a table in Markdown; ratios that
// miss their goal are bold.
import { createHmac, createSecretKey, createSign, generateKeyPairSync, randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'

import { Verifier } from 'jwtauth'

const ISSUER = 'https://id.example.com/realms/main'
const AUDIENCE = 'api'
// The payload of a typical access token of a provider.
const PAYLOAD = readFileSync(new URL('../claims.json', import.meta.url), 'utf8').trimEnd()
const BATCH_MS = 2

// How many times as long as the synchronous jwtauth another package must take at least, or the promise at most.
const GOALS = {
  HS256: { 'jwtauth, async': 1.15, 'fast-jwt, cache off': 1.25 },
  RS256: { 'jwtauth, async': 1.15, 'fast-jwt, cache off': 1.25, jose: 3 },
}
// The most that a grant from the token cache may take, in signature checks of HS256.
const HIT = 1.2

const { values: options } = parseArgs({
  options: { turns: { type: 'string', default: '300' }, primitive: { type: 'string' } },
})
const turns = Number(options.turns)
const primitive = Number(options.primitive)

function sign(alg, header, signature) {
  const encode = (text) => Buffer.from(text).toString('base64url')
  const signed = `${encode(JSON.stringify({ alg, typ: 'JWT', ...header }))}.${encode(PAYLOAD)}`
  return `${signed}.${signature(signed).toString('base64url')}`
}

function withSecret() {
  const secret = randomBytes(32)
  return {
    token: sign('HS256', {}, (signed) => createHmac('sha256', secret).update(signed).digest()),
    keys: [{ secret: secret.toString('base64url') }],
    key: createSecretKey(secret),
    pem: secret,
  }
}

function withRsa() {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid: 'key-1', alg: 'RS256', use: 'sig' }
  return {
    token: sign('RS256', { kid: 'key-1' }, (signed) => createSign('sha256').update(signed).sign(privateKey)),
    keys: [{ jwk }],
    key: publicKey,
    pem: publicKey.export({ type: 'spki', format: 'pem' }),
    jwks: { keys: [jwk] },
  }
}

/** The packages, each as a function that decides a token. An absent one is named. */
async function contenders(alg, { token, keys, key, pem, jwks }) {
  const config = { keys, algorithms: [alg], issuer: ISSUER, audiences: [AUDIENCE] }
  const verifier = new Verifier({ dialect: 'native', config })
  const cache = { token_cache: { max_bytes: 2 ** 20, max_ttl: '5m' } }
  const remembering = new Verifier({ dialect: 'native', config, options: cache })
  const headers = { host: 'api.example.com', authorization: `Bearer ${token}`, accept: '*/*', 'user-agent': 'curl/8.5.0' }
  // The identity and the claims of a grant are parsed when they are read, so both are.
  const read = (grant) => grant.identity.name + grant.claims.sub
  const found = [
    { name: 'jwtauth', decide: () => read(verifier.authenticateSync(token)) },
    { name: 'jwtauth, async', isAsync: true, decide: async () => read(await verifier.authenticate(token)) },
    { name: 'jwtauth, token cache', decide: () => read(remembering.authenticateSync(token)) },
    { name: 'jwtauth, token cache, nothing read', decide: () => remembering.authenticateSync(token) },
    { name: 'jwtauth, headers', decide: () => read(verifier.authenticateSync({ headers })) },
  ]
  const peer = async (name, load) => {
    try {
      found.push(...(await load(name)))
    } catch (error) {
      if (error.code !== 'ERR_MODULE_NOT_FOUND') throw error
      console.error(`${name} is not installed`)
    }
  }
  await peer('fast-jwt', async (name) => {
    const { createVerifier } = await import('fast-jwt')
    const made = (cache) => createVerifier({ key: pem, algorithms: [alg], allowedIss: ISSUER, allowedAud: AUDIENCE, cache })
    const [off, on] = [made(false), made(true)]
    return [
      { name: `${name}, cache off`, decide: () => off(token).sub },
      { name: `${name}, cache on`, decide: () => on(token).sub },
    ]
  })
  await peer('jose', async (name) => {
    const { jwtVerify } = await import('jose')
    const rules = { issuer: ISSUER, audience: AUDIENCE, algorithms: [alg] }
    return [{ name, isAsync: true, decide: async () => (await jwtVerify(token, key, rules)).payload.sub }]
  })
  await peer('jsonwebtoken', async (name) => {
    const { default: jsonwebtoken } = await import('jsonwebtoken')
    const rules = { issuer: ISSUER, audience: AUDIENCE, algorithms: [alg] }
    return [{ name, decide: () => jsonwebtoken.verify(token, key, rules).sub }]
  })
  await peer('aws-jwt-verify', async (name) => {
    const { JwtVerifier } = await import('aws-jwt-verify')
    if (jwks === undefined) return []
    const aws = JwtVerifier.create({ issuer: ISSUER, audience: AUDIENCE, jwksUri: `${ISSUER}/keys` })
    aws.cacheJwks(jwks)
    return [{ name, decide: () => aws.verifySync(token).sub }]
  })
  return found
}

async function batch({ decide, isAsync }, count) {
  const start = process.hrtime.bigint()
  if (isAsync) for (let i = 0; i < count; i += 1) await decide()
  else for (let i = 0; i < count; i += 1) decide()
  return Number(process.hrtime.bigint() - start) / count
}

async function measure(found) {
  for (const contender of found) {
    await batch(contender, 500)
    contender.count = Math.max(1, Math.round((BATCH_MS * 1e6) / (await batch(contender, 2000))))
    contender.times = []
  }
  for (let turn = 0; turn < turns; turn += 1) {
    // Each one runs after each other one equally often.
    for (let i = 0; i < found.length; i += 1) {
      const contender = found[(i * (1 + (turn % 2) * (found.length - 2)) + turn) % found.length]
      contender.times.push(await batch(contender, contender.count))
    }
  }
}

const quantile = (values, share) => values.toSorted((a, b) => a - b)[Math.floor(share * (values.length - 1))]

const marked = (ratio, isMet) => (isMet ? ratio.toFixed(2) : `**${ratio.toFixed(2)}**`)

console.log(`Node ${process.version}; a payload of ${PAYLOAD.length} bytes; ${turns} turns.\n`)
console.log('| | package | ns | ratio | p10–p90 | goal |\n|---|---|---|---|---|---|')
let hit
for (const [alg, made] of [['HS256', withSecret()], ['RS256', withRsa()]]) {
  const found = await contenders(alg, made)
  await measure(found)
  for (const { name, times } of found) {
    const ratio = quantile(times.map((time, turn) => time / found[0].times[turn]), 0.5)
    const [low, median, high] = [0.1, 0.5, 0.9].map((share) => Math.round(quantile(times, share)))
    const goal = GOALS[alg][name]
    const isMost = name.startsWith('jwtauth')
    const isMet = goal === undefined || (isMost ? ratio <= goal : ratio >= goal)
    const shown = goal === undefined ? '–' : `${isMost ? '≤' : '≥'} ${goal}`
    console.log(`| ${alg} | ${name} | ${median} | ${marked(ratio, isMet)} | ${low}–${high} | ${shown} |`)
    if (alg === 'HS256' && name.endsWith('nothing read')) hit = median
  }
}
const checks = marked(hit / primitive, hit / primitive <= HIT)
console.log(`\nA grant from the token cache, in signature checks of HS256 (${primitive} ns): ${checks}; at most ${HIT}.`)
