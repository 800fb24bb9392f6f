'use strict'

const { inspect } = require('node:util')

const { outcome } = require('./batch.js')
const { frozen } = require('./grant.js')

const SEAL = Symbol('made by a verifier')

/** A decision, and the checks that led to it. The JSON text is parsed when a part of it is first read. */
class Explanation {
  #decision
  #json
  #members

  constructor(seal, decision, json) {
    if (seal !== SEAL) throw new TypeError('only a Verifier can create an Explanation')
    this.#decision = Object.freeze(decision)
    this.#json = json
    Object.freeze(this)
  }

  get decision() {
    return this.#decision
  }

  get steps() {
    return this.toJSON().steps
  }

  get hints() {
    return this.toJSON().hints
  }

  get json() {
    return this.#json
  }

  toJSON() {
    return (this.#members ??= frozen(JSON.parse(this.#json)))
  }

  // As for a grant, nothing from the token is printed.
  [inspect.custom](_depth, options) {
    const { status } = this.#decision
    return `Explanation ${inspect({ decision: status, steps: this.steps.length }, options)}`
  }
}

/** The explanation that the addon made of a request. */
function explanation({ decision, json }, asked) {
  return new Explanation(SEAL, outcome(decision, asked), json)
}

module.exports = { Explanation, explanation }
