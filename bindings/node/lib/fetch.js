'use strict'

const { Readable, Stream, addAbortSignal } = require('node:stream')

const PHASES = ['dns', 'connect', 'tls', 'http', 'parse']
const FAILED = 'the `fetch` function failed'

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
  let body
  try {
    const { url, headers, timeout_ms: timeoutMs, max_bytes: maxBytes } = JSON.parse(asked)
    const signal = AbortSignal.timeout(timeoutMs)
    const response = await fetch({ url, headers, timeoutMs, maxBytes, signal })
    body = response?.body
    if (!Number.isInteger(response?.status)) throw new FetchError('http', 'the `fetch` function gave no response')
    const bytes = await bytesOf(response.status, body, maxBytes, signal)
    exchange.respond(response.status, headersText(response.headers), bytes)
  } catch (thrown) {
    exchange.fail(...failure(thrown))
  } finally {
    void discard(body)
  }
}

/** Headers as JSON text: a `Headers`, pairs, or a plain object. */
function headersText(headers) {
  return JSON.stringify(typeof headers?.[Symbol.iterator] === 'function' ? Object.fromEntries(headers) : (headers ?? {}))
}

/** The bytes of a body. A body that is too long is read only until that is certain. */
async function bytesOf(status, body, maxBytes, signal) {
  if (body === undefined || body === null) return new Uint8Array()
  if (typeof body === 'string') return Buffer.from(body)
  if (body instanceof Uint8Array) return body
  // Only a stream with keys is read.
  if (status !== 200) return new Uint8Array()
  if (typeof body[Symbol.asyncIterator] !== 'function') {
    throw new FetchError('http', "the `fetch` function's response has a body that is neither text, bytes nor a stream")
  }
  const stream = streamOf(body)
  // It may fail also when no loop listens.
  stream.on('error', () => {})
  addAbortSignal(signal, stream)
  const chunks = []
  let length = 0
  // Leaving the loop closes the connection.
  for await (const chunk of stream) {
    chunks.push(Buffer.from(chunk))
    length += chunks.at(-1).length
    if (length > maxBytes) break
  }
  return Buffer.concat(chunks)
}

/**
 * A body as a stream of Node. The end of the stream closes the connection, also while the next chunk is awaited: an iterator
 * would first wait for it.
 */
function streamOf(body) {
  if (body instanceof Stream) return body
  return body instanceof ReadableStream ? Readable.fromWeb(body) : Readable.from(body)
}

/** Closes the connection of a body, unless the body has been read. Never rejects: the outcome of the fetch is certain. */
async function discard(body) {
  try {
    if (body instanceof Stream) body.on('error', () => {})
    await (body?.destroy ?? body?.cancel ?? body?.return)?.call(body)
  } catch {
    // A web stream that was read to its end is locked.
  }
}

/** The phase and the reason of a failure, as far as what was thrown can be read. */
function failure(thrown) {
  try {
    if (!(thrown instanceof FetchError)) return ['http', reasonOf(thrown)]
    const { phase, reason } = thrown
    if (PHASES.includes(phase) && typeof reason === 'string') return [phase, reason]
  } catch {
    // A property that throws says nothing.
  }
  return ['http', FAILED]
}

/** The reason for an error: its name and code only, because its message may contain a URL's query or a password. */
function reasonOf(thrown) {
  if (!(thrown instanceof Error)) return FAILED
  const code = [thrown.code, thrown.cause?.code].find((code) => typeof code === 'string' && /^[A-Z][A-Z0-9_]*$/.test(code))
  const { name } = thrown
  const shown = typeof name === 'string' && /^[A-Z]\w*$/.test(name) ? name : 'Error'
  return `${FAILED}: ${shown}${code === undefined ? '' : ` (${code})`}`
}

module.exports = { FetchError, answer }
