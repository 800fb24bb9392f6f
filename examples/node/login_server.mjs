// A small server with a login, a protected page and a logout: node login_server.mjs CONFIG [PORT]
//
// CONFIG is a file with the configuration of a verifier, which may have a member `sessions`. The program prints the address on
// which it listens.
//
//   curl -X POST -H "Authorization: Bearer $token" http://127.0.0.1:8080/login      the answer has the token of the session
//   curl -H "Authorization: Bearer $session" http://127.0.0.1:8080/
//   curl -X POST -H "Authorization: Bearer $session" http://127.0.0.1:8080/logout
import { createServer } from 'node:http'

import { JwtAuthError, Sessions } from 'jwtauth'

const [file, port = '8080', ...rest] = process.argv.slice(2)
if (file === undefined || rest.length > 0) {
  console.error('usage: node login_server.mjs CONFIG [PORT]')
  process.exit(2)
}

const sessions = Sessions.fromFile(file)

/** What the server does, by method and path. */
const routes = {
  /** Decides about the token of the issuer, and answers with a session. */
  async 'POST /login'({ headers, socket }) {
    const { response } = await sessions.login({ headers, remoteAddr: socket.remoteAddress })
    return response
  },

  /** The protected page. */
  async 'GET /'(request) {
    const session = await sessions.authorize(held(request), request.socket.remoteAddress)
    return { hello: session.identity.name, entitlements: session.entitlements }
  },

  /** Ends the session. Later requests with its token are denied. */
  async 'POST /logout'(request) {
    await sessions.revoke(held(request))
    return {}
  },
}

/** The token of the session that a request carries. */
function held({ headers }) {
  return /^Bearer (.*)$/.exec(headers.authorization ?? '')?.[1] ?? ''
}

async function handle(request, response) {
  try {
    const route = routes[`${request.method} ${request.url}`]
    const [status, body] = route === undefined ? [404, { error: 'not found' }] : [200, await route(request)]
    send(response, status, body)
  } catch (error) {
    if (!(error instanceof JwtAuthError)) throw error
    send(response, { denied: 401, unavailable: 503 }[error.class] ?? 500, { error: error.code })
  }
}

function send(response, status, body) {
  // The answer to a login has the token, which no cache must keep.
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' })
  response.end(`${JSON.stringify(body)}\n`)
}

const server = createServer((request, response) => void handle(request, response))
server.listen(Number(port), '127.0.0.1', () => console.log(`listening on http://127.0.0.1:${server.address().port}`))
