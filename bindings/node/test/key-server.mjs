// A server for key sets on loopback.
import { createServer } from 'node:http'
import { once } from 'node:events'
import { after } from 'node:test'

import { keySet } from './tokens.mjs'

export const good = (request, response) => void response.setHeader('content-type', 'application/json').end(keySet)
/** Answers when the server is released. */
export const silent = () => {}
export const status = (code) => (request, response) => void response.writeHead(code).end('<html>hush</html>')

/** Starts a server that responds with `answer`, which may be replaced, and counts requests. It ends with the tests. */
export async function keyServer(answer = good) {
  const responses = []
  const seen = { answer, requests: [] }
  /** Answers the requests that were not answered, and all later ones. */
  seen.release = (answer = good) => {
    seen.answer = answer
    for (const [request, response] of responses) if (!response.writableEnded) answer(request, response)
  }
  /** Waits until it has received this many requests. */
  seen.received = async (count) => {
    while (seen.requests.length < count) await once(server, 'request')
  }
  const server = createServer((request, response) => {
    seen.requests.push(request)
    responses.push([request, response])
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
