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
    if (failure.http_status !== undefined) this.httpStatus = failure.http_status
    if (failure.sources !== undefined) this.sources = failure.sources
  }
}

Object.defineProperty(JwtAuthError.prototype, 'name', { value: 'JwtAuthError', writable: true, configurable: true })

/** The error of this package for an error of the addon. */
function translated(thrown) {
  let failure
  try {
    failure = JSON.parse(thrown.message)
  } catch {
    return thrown
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

/** Calls the addon, and awaits its promise. */
async function attemptAsync(call) {
  try {
    return await call()
  } catch (thrown) {
    throw translated(thrown)
  }
}

module.exports = { JwtAuthError, attempt, attemptAsync }
