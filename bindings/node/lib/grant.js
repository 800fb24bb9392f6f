'use strict'

const { inspect } = require('node:util')

const SEAL = Symbol('made by a verifier')

/** A grant: a view of the reply's text, which is parsed on first access. */
class Grant {
  #json
  #reply

  constructor(seal, json) {
    if (seal !== SEAL) throw new TypeError('only a Verifier can create a Grant')
    this.#json = json
    Object.freeze(this)
  }

  get json() {
    return this.#json
  }

  get profile() {
    return this.#parsed().profile
  }

  get identity() {
    return this.#parsed().identity
  }

  get entitlements() {
    return this.#parsed().entitlements
  }

  get revocations() {
    return this.#parsed().revocations
  }

  get session() {
    return this.#parsed().session
  }

  // In the spelling of the wire format, like every name in a grant.
  get cleaned_url() {
    return this.#parsed().cleaned_url
  }

  get claims() {
    return this.#parsed().claims
  }

  has(kind, name, scope) {
    for (const text of scope === undefined ? [kind, name] : [kind, name, scope]) {
      if (typeof text !== 'string') throw new TypeError('kind, name and scope must be strings')
    }
    // An entitlement with variables is for one service or node, and not for every one.
    return this.entitlements.some(
      (one) => one.kind === kind && one.name === name && one.scope === scope && one.variables === undefined,
    )
  }

  toJSON() {
    return this.#parsed()
  }

  // What is printed often ends up in a log, so it shows nothing from the token.
  [inspect.custom](_depth, options) {
    const { profile, entitlements, revocations } = this
    return `Grant ${inspect({ profile, entitlements: entitlements.length, revocations: revocations.length }, options)}`
  }

  #parsed() {
    return (this.#reply ??= frozen(JSON.parse(this.#json)))
  }
}

/** Freezes a parsed document deeply, so that a shared grant cannot be changed. */
function frozen(value) {
  if (typeof value === 'object' && value !== null) Object.values(Object.freeze(value)).forEach(frozen)
  return value
}

module.exports = { Grant, granted: (json) => new Grant(SEAL, json) }
