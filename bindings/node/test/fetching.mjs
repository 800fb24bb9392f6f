// Run by keys.test.mjs in a separate process or thread: node fetching.mjs PART URL CLIENT TOKEN
import { lookup } from 'node:dns/promises'
import { readFile } from 'node:fs/promises'

import { Verifier } from 'jwtauth'
import { remote } from './tokens.mjs'

const [part, url, client, token] = process.argv.slice(2)
const options = client === 'fetch' ? { fetch: (request) => fetch(request.url, { ...request, redirect: 'manual' }) } : {}
// The timeout is long, so that a call that waits for the silent server is noticed.
const verifier = () => new Verifier(remote(url, { timeout: '60s' }), options)
const ask = async (verifier) => void (await verifier.authenticate({ token }))

switch (part) {
  case 'pool': {
    let decided = false
    const waiting = Promise.all(Array.from({ length: 16 }, () => ask(verifier()).then(() => { decided = true })))
    // Both use the thread pool.
    const { address } = await lookup('localhost')
    const text = await readFile(new URL(import.meta.url), 'utf8')
    const began = text.length > 0 && address !== undefined && !decided
    console.log(`looked up ${began ? 'meanwhile' : 'too late'}`)
    console.log(`granted ${(await waiting).length}`)
    break
  }
  case 'idle':
    await ask(verifier())
    await verifier().refreshKeys()
    console.log('granted')
    break
  case 'unawaited':
    void ask(verifier()).then(() => console.log('granted'))
    break
  case 'exit':
    setTimeout(() => process.exit(7), 200)
    await ask(verifier())
    break
  case 'wait':
    await ask(verifier())
    break
}
