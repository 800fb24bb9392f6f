'use strict'

const addon = require('./lib/addon.js')
const { configText, requestText } = require('./lib/arguments.js')
const { JwtAuthError, attempt, attemptAsync } = require('./lib/error.js')
const { Grant, granted } = require('./lib/grant.js')

/** Decides requests by one configuration. A returned Grant is the only yes; everything else is thrown. */
class Verifier {
  #addon

  constructor(config) {
    const text = configText(config)
    this.#addon = attempt(() => new addon.Verifier(text))
  }

  async authenticate(request) {
    const text = requestText(request)
    return granted(await attemptAsync(() => this.#addon.authenticate(text)))
  }

  authenticateSync(request) {
    const text = requestText(request)
    return granted(attempt(() => this.#addon.authenticateSync(text)))
  }

  policy() {
    return JSON.parse(attempt(() => this.#addon.policy()))
  }

  async refreshKeys() {
    await attemptAsync(() => this.#addon.refreshKeys())
  }
}

module.exports = { Grant, JwtAuthError, Verifier, version: addon.version() }
