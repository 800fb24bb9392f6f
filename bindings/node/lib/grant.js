'use strict'

const { inspect } = require('node:util')

const SEAL = Symbol('made by a verifier')

/** A grant: a view of the reply's text. Identity, claims and the rest are parsed when they are first read. */
class Grant {
  /** The reply, with line breaks around the identity and before the claims. */
  #lines
  #identity
  #claims
  #rest

  constructor(seal, lines) {
    if (seal !== SEAL) throw new TypeError('only a Verifier can create a Grant')
    this.#lines = lines
    Object.freeze(this)
  }

  get json() {
    return this.#lines.replaceAll('\n', '')
  }

  get profile() {
    return this.#others().profile
  }

  get identity() {
    if (this.#identity !== undefined) return this.#identity
    const start = this.#lines.indexOf('\n') + 1
    return (this.#identity = parsed(this.#lines.slice(start, this.#lines.indexOf('\n', start))))
  }

  get entitlements() {
    return this.#others().entitlements
  }

  get revocations() {
    return this.#others().revocations
  }

  get session() {
    return this.#others().session
  }

  // In the spelling of the wire format, like every name in a grant.
  get cleaned_url() {
    return this.#others().cleaned_url
  }

  get claims() {
    // The last line also closes the reply.
    return (this.#claims ??= parsed(this.#lines.slice(this.#lines.lastIndexOf('\n') + 1, -1)))
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
    return Object.freeze({ ...this.#others(), identity: this.identity, claims: this.claims })
  }

  // What is printed often ends up in a log, so it shows nothing from the token.
  [inspect.custom](_depth, options) {
    const { profile, entitlements, revocations } = this
    return `Grant ${inspect({ profile, entitlements: entitlements.length, revocations: revocations.length }, options)}`
  }

  /** The reply with `null` for identity and claims. */
  #others() {
    if (this.#rest !== undefined) return this.#rest
    const [head, , rest] = this.#lines.split('\n', 3)
    return (this.#rest = parsed(`${head}null${rest}null}`))
  }
}

/** A parsed document, deeply frozen, so that a shared grant cannot be changed. */
function parsed(text) {
  return frozen(JSON.parse(text))
}

function frozen(value) {
  if (Array.isArray(value)) value.forEach(freezeInner)
  else for (const name of Object.keys(value)) freezeInner(value[name])
  return Object.freeze(value)
}

function freezeInner(value) {
  if (typeof value === 'object' && value !== null) frozen(value)
}

module.exports = { Grant, granted: (lines) => new Grant(SEAL, lines) }
