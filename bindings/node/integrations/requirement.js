'use strict'

const { isPlainObject } = require('../lib/arguments.js')
const { Grant } = require('../lib/grant.js')
const { Refused, missing } = require('./refused.js')

/** What a grant must have. Every member must hold; of several names in one member, the grant must have one. */
class Requirement {
  #tests = []

  /** Without an argument, a grant is enough. */
  constructor(...given) {
    // A setting that is not there must not become no requirement, so an argument that is undefined is refused. So is everything
    // that has members of which this reads none, such as a Map or a promise.
    const names = given.length === 0 ? {} : given[0]
    if (!isPlainObject(names)) throw new TypeError('a requirement is a plain object')
    for (const name of Reflect.ownKeys(names)) {
      const test = TESTS[name]
      if (test === undefined) throw new TypeError(`a requirement has no member ${JSON.stringify(String(name))}`)
      // Copies, so that nothing changes what a route requires later.
      const wanted = [names[name]].flat().map((one) => (typeof one === 'object' && one !== null ? { __proto__: null, ...one } : one))
      if (wanted.length === 0 || !wanted.every(test.isValid)) throw new TypeError(`${name} must be ${test.form}`)
      this.#tests.push((grant) => wanted.some((one) => test.holds(grant, one)))
    }
  }

  /** @throws {Refused} 401 without a grant, 403 if the grant is not enough */
  check(grant) {
    if (grant === undefined) throw missing()
    if (!(grant instanceof Grant)) throw new TypeError('only a Grant of a Verifier can meet a requirement')
    if (this.#tests.every((test) => test(grant))) return
    throw new Refused(403, 'insufficient_scope', 'the grant does not have what this request requires')
  }
}

const isName = (value) => typeof value === 'string' && value !== ''
const NAMES = 'a name, or an array of names'

const isEntitlement = (value) =>
  typeof value === 'object' &&
  value !== null &&
  Object.keys(value).every((key) => ['kind', 'name', 'scope'].includes(key) && isName(value[key])) &&
  isName(value.kind) &&
  isName(value.name)

const TESTS = {
  __proto__: null,
  role: { form: NAMES, isValid: isName, holds: (grant, name) => grant.has('role', name) },
  policy: { form: NAMES, isValid: isName, holds: (grant, name) => grant.has('policy', name) },
  group: { form: NAMES, isValid: isName, holds: (grant, name) => grant.identity.groups.includes(name) },
  entitlement: {
    form: 'an object with `kind`, `name` and, if it has one, `scope`, or an array of them',
    isValid: isEntitlement,
    holds: (grant, { kind, name, scope }) => grant.has(kind, name, scope),
  },
}

module.exports = { Requirement }
