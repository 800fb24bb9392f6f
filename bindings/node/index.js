'use strict'

const addon = require('./lib/addon.js')
const { configText, fetchOption, pathText, requestText } = require('./lib/arguments.js')
const { JwtAuthError, attempt, attemptAsync } = require('./lib/error.js')
const { FetchError } = require('./lib/fetch.js')
const { Fetches } = require('./lib/fetches.js')
const { Grant, granted } = require('./lib/grant.js')

/** The path of a configuration, for the constructor. */
class ConfigFile {
  constructor(path) {
    this.path = path
  }
}

/** Decides requests by one configuration. Only a returned Grant grants access; everything else is thrown. */
class Verifier {
  #addon
  #fetches
  #refreshing
  #slowFrom

  constructor(config, options) {
    const path = config instanceof ConfigFile ? config.path : undefined
    const text = path === undefined ? configText(config) : undefined
    const fetch = fetchOption(options)
    const fetches = fetch !== undefined
    this.#fetches = new Fetches(fetch)
    this.#addon = attempt(() =>
      path === undefined ? new addon.Verifier(text, fetches) : addon.Verifier.fromFile(path, fetches),
    )
    this.#slowFrom = this.#addon.slowFrom()
  }

  static fromFile(path, options) {
    return new this(new ConfigFile(pathText(path)), options)
  }

  async authenticate(request) {
    const text = requestText(request)
    for (let after; ; ) {
      const step = text.length > this.#slowFrom ? await this.#stepInPool(text, after) : this.#step(text, after)
      if (typeof step === 'string') return granted(step)
      await this.#fetches.run(step)
      after = step
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
    this.#refreshing ??= this.#refresh().finally(() => {
      this.#refreshing = undefined
    })
    return JSON.parse(await this.#refreshing).sources
  }

  /** One step of a decision: the reply, or the errand that it lacks. */
  #step(text, after) {
    return attempt(() => this.#addon.step(text, after))
  }

  #stepInPool(text, after) {
    return attemptAsync(() => this.#addon.stepInPool(text, after))
  }

  async #refresh() {
    const errand = this.#addon.refresh()
    await this.#fetches.run(errand)
    return attempt(() => this.#addon.refreshed(errand))
  }
}

module.exports = { FetchError, Grant, JwtAuthError, Verifier, version: addon.version() }
