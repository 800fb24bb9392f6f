'use strict'

const { Readable, addAbortSignal } = require('node:stream')

const PHASES = ['dns', 'connect', 'tls', 'http', 'parse']

/** A `fetch` function throws this to report a failure, with its phase and reason. The reason becomes part of an error. */
class FetchError extends Error {
  constructor(phase, reason, options) {
    if (!PHASES.includes(phase)) throw new TypeError(`phase must be one of ${PHASES.join(', ')}`)
    if (typeof reason !== 'string') throw new TypeError('reason must be a string')
    super(reason, options)
    Object.defineProperties(this, {
      phase: { value: phase, enumerable: true },
      reason: { value: reason, enumerable: true },
    })
  }
}

Object.defineProperty(FetchError.prototype, 'name', { value: 'FetchError', writable: true, configurable: true })

/** Calls the application's function for a request of the addon. Never rejects. */
async function answer(fetch, asked, exchange) {
  try {
    const { url, headers, timeout_ms: timeoutMs, max_bytes: maxBytes } = JSON.parse(asked)
    const signal = AbortSignal.timeout(timeoutMs)
    const response = await fetch({ url, headers, timeoutMs, maxBytes, signal })
    if (!Number.isInteger(response?.status)) throw new FetchError('http', 'the `fetch` function gave no response')
    exchange.respond(response.status, headersText(response.headers), await bodyBytes(response, maxBytes, signal))
  } catch (thrown) {
    const { phase, reason } = thrown instanceof FetchError ? thrown : { phase: 'http', reason: reasonOf(thrown) }
    exchange.fail(phase, reason)
  }
}

/** Headers as JSON text: a `Headers`, pairs, or a plain object. */
function headersText(headers) {
  return JSON.stringify(typeof headers?.[Symbol.iterator] === 'function' ? Object.fromEntries(headers) : (headers ?? {}))
}

/** The body of a response. A body that is too long is read only until that is certain. */
async function bodyBytes({ status, body }, maxBytes, signal) {
  if (body === undefined || body === null) return new Uint8Array()
  if (typeof body === 'string') return Buffer.from(body)
  if (body instanceof Uint8Array) return body
  if (typeof body[Symbol.asyncIterator] !== 'function') {
    throw new FetchError('http', "the `fetch` function's response has a body that is neither text, bytes nor a stream")
  }
  const stream = addAbortSignal(signal, Readable.from(body))
  const chunks = []
  let length = 0
  // Only a body with keys is read. Leaving the loop closes the connection.
  if (status === 200) {
    for await (const chunk of stream) {
      chunks.push(Buffer.from(chunk))
      length += chunks.at(-1).length
      if (length > maxBytes) break
    }
  }
  stream.destroy()
  return Buffer.concat(chunks)
}

/** The reason for an error: its name and code only, because its message may contain a URL's query or a password. */
function reasonOf(thrown) {
  if (!(thrown instanceof Error)) return 'the `fetch` function failed'
  const code = [thrown.code, thrown.cause?.code].find((code) => typeof code === 'string' && /^[A-Z][A-Z0-9_]*$/.test(code))
  const name = /^[A-Z]\w*$/.test(thrown.name) ? thrown.name : 'Error'
  return `the \`fetch\` function failed: ${name}${code === undefined ? '' : ` (${code})`}`
}

module.exports = { FetchError, answer }
