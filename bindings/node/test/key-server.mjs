// A server for key sets on loopback.
import { createServer } from 'node:http'
import { once } from 'node:events'
import { after } from 'node:test'

import { keySet } from './tokens.mjs'

export const good = (request, response) => void response.setHeader('content-type', 'application/json').end(keySet)
export const silent = () => {}
export const status = (code) => (request, response) => void response.writeHead(code).end('<html>hush</html>')

/** Starts a server that answers by `answer`, which may be replaced, and counts. It ends with the tests. */
export async function keyServer(answer = good) {
  const seen = { answer, requests: [] }
  const server = createServer((request, response) => {
    seen.requests.push(request)
    seen.answer(request, response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  after(() => {
    server.close()
    server.closeAllConnections()
  })
  const { port } = server.address()
  seen.url = `http://127.0.0.1:${port}/keys?secret=hush`
  seen.named = `http://localhost:${port}/keys`
  return seen
}
