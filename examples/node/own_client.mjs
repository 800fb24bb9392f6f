// Decides with keys that this program fetches itself: node own_client.mjs CONFIG TOKEN
//
// If a program has an HTTP client, with its proxies, certificates and statistics, the verifier can use it. This example
// uses Node's `fetch`. Its output and exit status are those of authenticate.mjs.
import { readFileSync } from 'node:fs'

import { FetchError, JwtAuthError, Verifier } from 'jwtauth'

const [file, token, ...rest] = process.argv.slice(2)
if (token === undefined || rest.length > 0) {
  console.error('usage: node own_client.mjs CONFIG TOKEN')
  process.exit(2)
}

/** The verifier calls this whenever it needs a document. The event loop is not blocked. */
async function fetchKeys(request) {
  try {
    // A redirect could lead to any server. So it is passed to the verifier, which refuses it.
    return await fetch(request.url, { headers: request.headers, signal: request.signal, redirect: 'manual' })
  } catch (cause) {
    throw new FetchError('connect', 'no connection to the key server', { cause })
  }
}

try {
  const verifier = new Verifier(readFileSync(file, 'utf8'), { fetch: fetchKeys })
  const grant = await verifier.authenticate({ token })
  console.log(`granted: ${grant.identity.name ?? '(no name)'} ${JSON.stringify(grant.entitlements)}`)
} catch (error) {
  if (error instanceof JwtAuthError && error.class === 'denied') {
    console.log(`refused: ${error.code}: ${error.message}`)
    process.exitCode = 1
  } else {
    console.error(error instanceof JwtAuthError ? `refused: ${error.code}: ${error.message}` : error.message)
    process.exitCode = error.class === 'unavailable' ? 3 : 2
  }
}
