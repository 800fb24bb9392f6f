'use strict'

const { frozen } = require('./grant.js')
const { warn } = require('./warn.js')

/** Passes the events of a verifier to the application's function, in their order. */
class Events {
  #onEvent
  #addon
  #waiting = []
  #isDelivering = false

  constructor(onEvent) {
    this.#onEvent = onEvent
  }

  get isObserved() {
    return this.#onEvent !== undefined
  }

  /** Sets the verifier of the addon. */
  observe(addon) {
    this.#addon = addon
  }

  /** Delivers the events since the last call. If the function itself decides, its events come after the others. */
  deliver() {
    if (!this.isObserved) return
    for (const event of this.#addon.takeEvents()) this.#waiting.push(event)
    if (this.#isDelivering) return
    this.#isDelivering = true
    try {
      // To remove the first of many takes long, so they are removed together. The function may add further ones.
      for (let next = 0; next < this.#waiting.length; next += 1) this.#call(frozen(JSON.parse(this.#waiting[next])))
    } finally {
      this.#waiting = []
      this.#isDelivering = false
    }
  }

  /** Calls the function. What it throws, also later, changes no decision: it becomes a warning of the process. */
  #call(event) {
    try {
      const returned = this.#onEvent(event)
      if (returned instanceof Promise) returned.catch(warn)
    } catch (thrown) {
      warn(thrown)
    }
  }
}

module.exports = { Events }
