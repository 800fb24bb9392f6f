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
    const waiting = Promise.all(Array.from({ length: 16 }, () => ask(verifier())))
    // Both use the thread pool.
    await lookup('localhost')
    await readFile(new URL(import.meta.url))
    console.log('looked up')
    console.log(`granted ${(await waiting).length}`)
    break
  }
  case 'idle':
    await ask(verifier())
    await verifier().refreshKeys()
    console.log('granted')
    break
  case 'unawaited':
    process.once('beforeExit', () => console.log('nothing is left'))
    void ask(verifier()).then(() => console.log('granted'))
    break
  case 'exit':
    process.stdin.once('data', () => process.exit(7))
    await ask(verifier())
    break
  case 'wait':
    await ask(verifier())
    break
}
