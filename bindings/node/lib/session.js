'use strict'

const { inspect } = require('node:util')

const { frozen, includes } = require('./grant.js')

const SEAL = Symbol('made by sessions')

/** The members of a session, with their names in the wire format. */
const MEMBERS = [
  'type', 'profile', 'subject', 'display_name', 'entity_id', 'identity', 'entitlements', 'revocations', 'issued_at', 'expires_at',
  'ttl', 'creation_ttl', 'explicit_max_ttl', 'period', 'num_uses', 'uses_left', 'renewable', 'bound_cidrs', 'description',
  'auth_method', 'local',
]

/** A session that had not ended when it was looked up. It contains neither the token nor the accessor. */
class SessionInfo {
  #members

  static {
    for (const name of MEMBERS) {
      Object.defineProperty(this.prototype, name, { configurable: true, get() { return this.#members[name] } })
    }
  }

  constructor(seal, members) {
    if (seal !== SEAL) throw new TypeError('only Sessions can create a SessionInfo')
    this.#members = frozen(members)
    Object.freeze(this)
  }

  has(kind, name, scope) {
    return includes(this.entitlements, kind, name, scope)
  }

  toJSON() {
    return this.#members
  }

  // What is printed often ends up in a log, so it shows nothing from the token of the login.
  [inspect.custom](_depth, options) {
    const { profile, expires_at, uses_left } = this
    return `SessionInfo ${inspect({ profile, expires_at, uses_left }, options)}`
  }
}

/** A new or renewed session, with its token. Nothing of it is printed or written by `JSON.stringify`. */
class Login {
  #json
  #token
  #accessor
  #session
  #response

  constructor(seal, json, { token, accessor, session, response }) {
    if (seal !== SEAL) throw new TypeError('only Sessions can create a Login')
    this.#json = json
    this.#token = token
    this.#accessor = accessor
    this.#session = new SessionInfo(SEAL, session)
    this.#response = frozen(response)
    Object.freeze(this)
  }

  get token() {
    return this.#token
  }

  get accessor() {
    return this.#accessor
  }

  get session() {
    return this.#session
  }

  get response() {
    return this.#response
  }

  get json() {
    return this.#json
  }

  [inspect.custom](_depth, options) {
    return `Login ${inspect({ session: this.#session }, options)}`
  }
}

module.exports = {
  Login,
  SessionInfo,
  issued: (json, reply) => new Login(SEAL, json, reply),
  found: (session) => new SessionInfo(SEAL, session),
}
