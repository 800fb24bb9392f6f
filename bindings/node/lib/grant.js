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

  toJSON() {
    return this.#parsed()
  }

  // What is inspected often ends up in a log, so it shows nothing from the token.
  [inspect.custom](_depth, options) {
    const { profile, entitlements, revocations } = this.#parsed()
    const counts = { profile, entitlements: entitlements.length, revocations: revocations.length }
    return `Grant ${inspect(counts, options)}`
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
