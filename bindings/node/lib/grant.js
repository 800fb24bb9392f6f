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
    return (this.#identity ??= parsed(this.#line(1)))
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
    return (this.#claims ??= parsed(this.#line(3)))
  }

  has(kind, name, scope) {
    return includes(this.entitlements, kind, name, scope)
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
    return (this.#rest ??= parsed(`${this.#line(0)}null${this.#line(2)}null}`))
  }

  #line(number) {
    let start = 0
    for (let line = 0; line < number; line += 1) start = this.#lines.indexOf('\n', start) + 1
    // The last line has no end: -1 cuts off the bracket behind the claims, which closes the reply.
    return this.#lines.slice(start, this.#lines.indexOf('\n', start))
  }
}

/** Whether entitlements include one. */
function includes(entitlements, kind, name, scope) {
  for (const text of scope === undefined ? [kind, name] : [kind, name, scope]) {
    if (typeof text !== 'string') throw new TypeError('kind, name and scope must be strings')
  }
  // An entitlement with variables is for one service or node, and not for every one.
  return entitlements.some(
    (one) => one.kind === kind && one.name === name && own(one, 'scope') === scope && own(one, 'variables') === undefined,
  )
}

/** A member of an object, unless it is inherited. */
function own(object, name) {
  return Object.hasOwn(object, name) ? object[name] : undefined
}

/** A parsed document, deeply frozen, so that a shared grant cannot be changed. */
function parsed(text) {
  return frozen(JSON.parse(text))
}

function frozen(value) {
  for (const inner of Array.isArray(value) ? value : Object.values(value)) {
    if (typeof inner === 'object' && inner !== null) frozen(inner)
  }
  return Object.freeze(value)
}

module.exports = { Grant, frozen, granted: (lines) => new Grant(SEAL, lines), includes }
