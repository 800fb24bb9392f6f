'use strict'

const { JwtAuthError } = require('../lib/error.js')
const { warn } = require('../lib/warn.js')

/** A request that is not let in, as the response to it (RFC 6750, section 3). Nothing in it is from the token. */
class Refused extends Error {
  constructor(status, error, message, code, retryAfter) {
    super(message)
    this.status = status
    this.error = error
    this.code = code
    this.retryAfter = retryAfter
    this.realm = undefined
  }

  /** The headers that belong to the status. */
  get headers() {
    const headers = {}
    if (this.status === 401 || this.status === 403) headers['WWW-Authenticate'] = this.#challenge()
    if (this.retryAfter !== undefined) headers['Retry-After'] = String(this.retryAfter)
    return headers
  }

  /** The body, before it is JSON. */
  get detail() {
    const { error = 'unauthorized', code, message } = this
    return { error, ...(code !== undefined && { code }), message }
  }

  #challenge() {
    const parts = []
    if (this.realm !== undefined) parts.push(`realm="${this.realm}"`)
    if (this.error !== undefined) parts.push(`error="${this.error}"`, `error_description="${this.message}"`)
    return `Bearer ${parts.join(', ')}`.trimEnd()
  }
}

/** There is no token, so the challenge has no error (RFC 6750, section 3.1). */
const missing = () => new Refused(401, undefined, 'the request contains no token', 'token_missing')

/** The response to a mistake in the program or the library. It is for the program's log, and not for the client. */
function mistake(thrown) {
  warn(thrown)
  return new Refused(500, 'server_error', 'internal error')
}

/**
 * The response to what a decision threw. The status is that of RFC 6750 and not `http_status`, which is the status of the configured
 * system's login: Vault's is 400 for each denial, and Consul's is 500.
 */
function refusal(failure, retryAfter) {
  if (!(failure instanceof JwtAuthError)) return mistake(failure)
  const { code, message } = described(failure)
  switch (failure.class) {
    case 'denied':
      if (NOT_ENOUGH.has(code) || failure.stage === 'decide') return new Refused(403, 'insufficient_scope', message, code)
      return code === 'token_missing' ? missing() : new Refused(401, 'invalid_token', message, code)
    case 'unavailable':
      return new Refused(503, 'temporarily_unavailable', message, code, retryAfter)
    default:
      return mistake(failure)
  }
}

/** The code of a failure, and its message without the claim and the detail, which are for operators. */
function described({ code, message, claim, detail }) {
  const rest = `${claim === undefined ? '' : ` (claim "${claim}")`}${detail === undefined ? '' : `: ${detail}`}`
  return { code, message: rest !== '' && message.endsWith(rest) ? message.slice(0, -rest.length) : message }
}

// As the core decides for the native configuration: the token is valid, but does not allow this. The stage `decide` is added.
const NOT_ENOUGH = new Set(['address_not_allowed', 'profile_closed', 'claim_mismatch', 'subject_mismatch'])

module.exports = { NOT_ENOUGH, Refused, missing, mistake, refusal }
