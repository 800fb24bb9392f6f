'use strict'

const { inspect } = require('node:util')

const SEAL = Symbol('made by a verifier')

/** What a caller receives. A view of the reply's text, which is parsed when a part of it is first read. */
class Grant {
  #json
  #reply

  constructor(seal, json) {
    if (seal !== SEAL) throw new TypeError('only a Verifier makes a Grant')
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

  // As on the wire, like every name inside a grant.
  get cleaned_url() {
    return this.#parsed().cleaned_url
  }

  get claims() {
    return this.#parsed().claims
  }

  toJSON() {
    return this.#parsed()
  }

  [inspect.custom](_depth, options) {
    return `Grant ${inspect(this.#parsed(), options)}`
  }

  #parsed() {
    return (this.#reply ??= frozen(JSON.parse(this.#json)))
  }
}

/** Freezes a parsed document all the way down: a grant may be shared, and nobody may add to it. */
function frozen(value) {
  if (typeof value === 'object' && value !== null) Object.values(Object.freeze(value)).forEach(frozen)
  return value
}

module.exports = { Grant, granted: (json) => new Grant(SEAL, json) }
