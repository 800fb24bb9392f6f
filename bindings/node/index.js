'use strict'

const addon = require('./lib/addon.js')
const { apart } = require('./lib/apart.js')
const { configText, fetchOption, requestText } = require('./lib/arguments.js')
const { JwtAuthError, attempt, attemptAsync } = require('./lib/error.js')
const { FetchError } = require('./lib/fetch.js')
const { Grant, granted } = require('./lib/grant.js')

/** Decides requests by one configuration. A returned Grant is the only yes; everything else is thrown. */
class Verifier {
  #addon
  #fetch
  /** The call that fetches keys for a decision, while there is one; it never rejects. */
  #fetching
  #refreshing

  constructor(config, options) {
    const text = configText(config)
    this.#fetch = fetchOption(options)
    this.#addon = attempt(() => new addon.Verifier(text, this.#fetch !== undefined))
  }

  async authenticate(request) {
    const text = requestText(request)
    // Calls that need keys share one fetch: while it is under way, they wait here and take no thread.
    for (let since; ; ) {
      const now = text.length > LONG ? await this.#decideInPool(text, since) : this.#decideNow(text, since)
      if (now !== null) return granted(now)
      if (this.#fetching === undefined) return granted(await this.#decideApart(text))
      since ??= this.#addon.fetchesEnded()
      await this.#fetching
    }
  }

  authenticateSync(request) {
    const text = requestText(request)
    return granted(attempt(() => this.#addon.authenticateSync(text)))
  }

  policy() {
    return JSON.parse(attempt(() => this.#addon.policy()))
  }

  async refreshKeys() {
    this.#refreshing ??= apart((tell) => this.#addon.refreshKeysApart(tell), this.#fetch).finally(() => {
      this.#refreshing = undefined
    })
    return JSON.parse(await this.#refreshing).sources
  }

  /** The reply, if it can be had without fetching keys; else null. */
  #decideNow(text, since) {
    return attempt(() => this.#addon.authenticateNow(text, this.#fetching !== undefined, since))
  }

  #decideInPool(text, since) {
    return attemptAsync(() => this.#addon.authenticateInPool(text, this.#fetching !== undefined, since))
  }

  #decideApart(text) {
    const decided = apart((tell) => this.#addon.authenticateApart(text, tell), this.#fetch)
    this.#fetching = decided
      .catch(() => {})
      .finally(() => {
        this.#fetching = undefined
      })
    return decided
  }
}

/** From this length on, to read a request would keep the event loop waiting for long. */
const LONG = 64 * 1024

module.exports = { FetchError, Grant, JwtAuthError, Verifier, version: addon.version() }
