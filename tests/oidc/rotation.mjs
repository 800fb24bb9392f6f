// A provider that rotates its keys on demand. It reads commands from standard input, one per line, and writes a line of
// JSON for each. It ends when its input is closed.
import { createInterface } from 'node:readline'

import { ALGORITHMS, resource, start } from './provider.mjs'

const provider = await start()
const { pathname: keys } = new URL(provider.jwks_uri)

const commands = {
  describe: () => ({ issuer: provider.issuer, jwks_uri: provider.jwks_uri, audiences: ALGORITHMS.map(resource) }),
  rotate: () => provider.rotate(),
  tokens: () => Promise.all(ALGORITHMS.map((algorithm) => provider.token(resource(algorithm)))),
  requests: () => ({
    keys: provider.requests.filter((path) => path === keys).length,
    metadata: provider.requests.filter((path) => path.startsWith('/.well-known/')).length,
  }),
}

for await (const command of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify((await commands[command]()) ?? null))
}
await provider.stop()
