// Decides about one token: node authenticate.mjs CONFIG TOKEN [PROFILE]
//
// CONFIG is a file with a configuration: JSON, or a grafana.ini. The decision is printed on standard output. The exit
// status is 0 for a grant, 1 for a denial, 2 for an invalid configuration or command line, 3 if the keys are unavailable.
import { JwtAuthError, Verifier } from 'jwtauth'

const [file, token, profile, ...rest] = process.argv.slice(2)
if (token === undefined || rest.length > 0) {
  console.error('usage: node authenticate.mjs CONFIG TOKEN [PROFILE]')
  process.exit(2)
}

try {
  const verifier = Verifier.fromFile(file)
  const grant = await verifier.authenticate({ token, profile })
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
