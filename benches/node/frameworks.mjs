// The throughput of a Fastify application with and without a check of tokens: `.ci/bench-node` runs it.
//
// A real server answers the same requests on several routes. The routes take turns in batches of requests that are sent at once,
// so that the server has always something to do, and other load slows down all of them. `of plain` is the median, over all turns,
// of the throughput of a route divided by that of the route without a check in the same turn.
import { fork } from 'node:child_process'
import { createHmac, createSign, generateKeyPairSync, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const ISSUER = 'https://id.example.com/realms/main'
const AUDIENCE = 'api'
const PAYLOAD = readFileSync(new URL('../claims.json', import.meta.url), 'utf8').trimEnd()
const BATCH = 100

const { values } = parseArgs({ options: { turns: { type: 'string', default: '300' } } })
const turns = Number(values.turns)

const sign = (alg, signature) => {
  const encode = (text) => Buffer.from(text).toString('base64url')
  const signed = `${encode(JSON.stringify({ alg, typ: 'JWT' }))}.${encode(PAYLOAD)}`
  return `${signed}.${signature(signed).toString('base64url')}`
}
const secret = randomBytes(32)
const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const jwk = publicKey.export({ format: 'jwk' })
const tokens = {
  HS256: sign('HS256', (signed) => createHmac('sha256', secret).update(signed).digest()),
  RS256: sign('RS256', (signed) => createSign('sha256').update(signed).sign(privateKey)),
}
const text = secret.toString('base64url')
const keys = { HS256: { source: { secret: text }, secret: text }, RS256: { source: { jwk }, jwk } }

/** A route, and the time of one of some requests that are sent at once. */
function route(name, path, token, stream) {
  const bearer = token === undefined ? '' : `Authorization: Bearer ${token}\r\n`
  const request = `GET ${path} HTTP/1.1\r\nHost: api.example.com\r\nAccept: */*\r\nUser-Agent: bench\r\n${bearer}\r\n`
  const batch = async (count) => {
    const start = process.hrtime.bigint()
    stream.write(request.repeat(count))
    let found = ''
    while (found.split('\r\n\r\n{').length <= count || !found.endsWith('}')) found += (await once(stream, 'data'))[0]
    if (found.split('HTTP/1.1 200 OK\r\n').length !== count + 1) throw new Error(`${name}: ${found.slice(0, 300)}`)
    return Number(process.hrtime.bigint() - start) / count
  }
  return { name, batch, times: [] }
}

const server = fork(fileURLToPath(new URL('fastify_app.mjs', import.meta.url)), {
  env: { ...process.env, SETTINGS: JSON.stringify({ issuer: ISSUER, audience: AUDIENCE, keys }) },
})
const [port] = await once(server, 'message')
const stream = connect(port, '127.0.0.1').setEncoding('latin1')
const routes = [route('without a check', '/plain', undefined, stream)]
for (const [alg, token] of Object.entries(tokens)) {
  routes.push(route(`${alg}, jwtauth`, `/jwtauth/${alg}`, token, stream))
  routes.push(route(`${alg}, @fastify/jwt, cache off`, `/fastify-jwt/${alg}`, token, stream))
}
// Until the functions are compiled.
for (const { batch } of routes) for (let turn = 0; turn < Math.min(turns, 10); turn += 1) await batch(BATCH)
for (let turn = 0; turn < turns; turn += 1) {
  // Each one runs after different ones.
  for (const one of turn % 2 === 0 ? routes : routes.toReversed()) one.times.push(await one.batch(BATCH))
}
stream.destroy()
server.kill()

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]
console.log(`Fastify on Node ${process.version}; ${turns} turns.\n`)
console.log('| | of plain |\n|---|---|')
for (const { name, times } of routes) {
  const ratios = times.map((time, turn) => routes[0].times[turn] / time)
  console.log(`| ${name} | ${median(ratios).toFixed(2)} |`)
}
