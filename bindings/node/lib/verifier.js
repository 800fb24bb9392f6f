'use strict'

const addon = require('./addon.js')
const { configText, functions, jsonRequest, pathText, readBatch, readRequest, showValues } = require('./arguments.js')
const { decideBatch } = require('./batch.js')
const { attempt, translated } = require('./error.js')
const { Events } = require('./events.js')
const { explanation } = require('./explanation.js')
const { Fetches } = require('./fetches.js')
const { granted } = require('./grant.js')

/** The path of a configuration, for the constructor. */
class ConfigFile {
  constructor(path) {
    this.path = path
  }
}

/** The verifier of sessions, for the constructor. It shares events and fetches with them. */
class OfSessions {
  constructor(addon, events, fetches) {
    this.addon = addon
    this.events = events
    this.fetches = fetches
  }
}

/** Decides requests by one configuration. Only a returned Grant grants access; everything else is thrown. */
class Verifier {
  #addon
  #events
  #fetches
  #refreshing
  #slowFrom

  constructor(config, options) {
    if (config instanceof OfSessions) {
      this.#addon = config.addon
      this.#events = config.events
      this.#fetches = config.fetches
    } else {
      this.#build(config, options)
    }
    this.#events.observe(this.#addon)
    this.#slowFrom = this.#addon.slowFrom()
  }

  #build(config, options) {
    const path = config instanceof ConfigFile ? config.path : undefined
    const text = path === undefined ? configText(config) : undefined
    const { fetch, onEvent } = functions(options)
    this.#events = new Events(onEvent)
    this.#fetches = new Fetches(fetch, () => this.#events.deliver())
    const given = [fetch !== undefined, this.#events.isObserved]
    this.#addon = attempt(() =>
      path === undefined ? new addon.Verifier(text, ...given) : addon.Verifier.fromFile(path, ...given),
    )
  }

  static fromFile(path, options) {
    return new this(new ConfigFile(pathText(path)), options)
  }

  authenticate(request) {
    return this.#decide(readRequest, request)
  }

  authenticateSync(request) {
    return this.#decideSync(readRequest(request))
  }

  authenticateJson(request) {
    return this.#decide(jsonRequest, request)
  }

  authenticateJsonSync(request) {
    return this.#decideSync(jsonRequest(request))
  }

  /** Decides many tokens on several threads, without blocking the event loop. */
  async authenticateMany(tokens, options) {
    const { texts, profile, remoteAddr, cachedOnly, threads } = readBatch(tokens, options)
    const batch = attempt(() => this.#addon.batch(texts, profile, remoteAddr, cachedOnly, threads))
    return decideBatch(batch, texts, this.#fetches, this.#events)
  }

  explain(request, options) {
    return this.#explain(readRequest, request, options)
  }

  explainSync(request, options) {
    return this.#explainSync(readRequest(request), options)
  }

  explainJson(request, options) {
    return this.#explain(jsonRequest, request, options)
  }

  explainJsonSync(request, options) {
    return this.#explainSync(jsonRequest(request), options)
  }

  counters() {
    return JSON.parse(attempt(() => this.#addon.counters()))
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

  /** Decides without blocking the event loop. Reads the argument here, so that a wrong one rejects the promise. */
  async #decide(read, argument) {
    const asked = read(argument)
    const { text, isJson, profile, remoteAddr, cachedOnly } = asked
    const isSlow = text.length > this.#slowFrom
    for (let after; ; ) {
      let step
      try {
        step = isSlow
          ? await this.#addon.stepInPool(text, isJson, profile, remoteAddr, cachedOnly, after)
          : this.#addon.step(text, isJson, profile, remoteAddr, cachedOnly, after)
      } catch (thrown) {
        throw translated(thrown, asked)
      } finally {
        this.#events.deliver()
      }
      if (typeof step === 'string') return granted(step)
      await this.#fetches.run(step)
      after = step
    }
  }

  #decideSync(asked) {
    const { text, isJson, profile, remoteAddr, cachedOnly } = asked
    try {
      return granted(this.#addon.authenticateSync(text, isJson, profile, remoteAddr, cachedOnly))
    } catch (thrown) {
      throw translated(thrown, asked)
    } finally {
      this.#events.deliver()
    }
  }

  /** Explains outside the event loop. */
  async #explain(read, argument, options) {
    const asked = read(argument)
    const explaining = this.#explaining(asked, options)
    for (let after; ; ) {
      const step = await explaining.step(after)
      this.#events.deliver()
      if (step.json !== undefined) return explanation(step, asked)
      await this.#fetches.run(step)
      after = step
    }
  }

  #explainSync(asked, options) {
    const explained = attempt(() => this.#explaining(asked, options).now())
    this.#events.deliver()
    return explanation(explained, asked)
  }

  #explaining({ text, isJson, profile, remoteAddr, cachedOnly }, options) {
    const values = showValues(options)
    return attempt(() => this.#addon.explaining(text, isJson, profile, remoteAddr, cachedOnly, values))
  }

  async #refresh() {
    const errand = this.#addon.refresh()
    await this.#fetches.run(errand)
    return attempt(() => this.#addon.refreshed(errand))
  }
}

module.exports = { ConfigFile, OfSessions, Verifier }
