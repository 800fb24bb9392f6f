'use strict'

/** Any outcome except a grant: a denial, an invalid configuration, unavailable keys, an invalid argument, a bug. */
class JwtAuthError extends Error {
  /** @param failure the parsed failure reply */
  constructor(failure) {
    const claim = failure.claim === undefined ? '' : ` (claim "${failure.claim}")`
    const detail = failure.detail === undefined ? '' : `: ${failure.detail}`
    super(`${failure.message}${claim}${detail}`)
    this.code = failure.code
    this.class = failure.class
    this.stage = failure.stage
    if (failure.claim !== undefined) this.claim = failure.claim
    if (failure.detail !== undefined) this.detail = failure.detail
    if (failure.applicable !== undefined) this.applicable = failure.applicable
    if (failure.http_status !== undefined) this.http_status = failure.http_status
    if (failure.sources !== undefined) this.sources = failure.sources
  }
}

Object.defineProperty(JwtAuthError.prototype, 'name', { value: 'JwtAuthError', writable: true, configurable: true })

/** The error of this package for an error of the addon, about a request if one is given. */
function translated(thrown, asked) {
  return failed(thrown.message, asked) ?? thrown
}

/** The error for a failure reply, about a request if one is given. Undefined for any other text. */
function failed(reply, asked) {
  let failure
  try {
    failure = JSON.parse(reply)
  } catch {
    return undefined
  }
  if (asked?.isBare && failure.code === 'token_malformed' && asked.text.startsWith('{')) {
    failure.detail = `${failure.detail}; \`authenticateJson\` takes a request as JSON text`
  }
  return new JwtAuthError(failure)
}

/** Calls the addon. */
function attempt(call) {
  try {
    return call()
  } catch (thrown) {
    throw translated(thrown)
  }
}

module.exports = { JwtAuthError, attempt, failed, translated }
