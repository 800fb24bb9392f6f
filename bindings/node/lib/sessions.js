'use strict'

const addon = require('./addon.js')
const { configText, functions, pathText, text } = require('./arguments.js')
const { attempt, failed } = require('./error.js')
const { Events } = require('./events.js')
const { Fetches } = require('./fetches.js')
const {
  AUTHORIZE, LOGIN, LOOKUP, LOOKUP_ACCESSOR, RENEW, REVOKE, REVOKE_ACCESSOR, REVOKE_ALL, SWEEP,
} = require('./verbs.js')
const { ConfigFile, OfSessions, Verifier } = require('./verifier.js')

/** The sessions of a changed configuration, for the constructor. */
class Reloaded {
  constructor(addon) {
    this.addon = addon
  }
}

/** Issues sessions for the tokens that a verifier grants. The promises wait for the store on other threads. */
class Sessions {
  #addon
  #options
  #events
  #fetches
  #isInMemory
  #verifier

  constructor(config, options) {
    const given = config instanceof Reloaded || config instanceof ConfigFile ? config : configText(config)
    this.#options = functions(options)
    this.#events = new Events(this.#options.onEvent)
    this.#fetches = new Fetches(this.#options.fetch, () => this.#events.deliver())
    this.#addon = attempt(() => this.#built(given))
    this.#isInMemory = this.#addon.isInMemory
    this.#verifier = new Verifier(new OfSessions(this.#addon.verifier(), this.#events, this.#fetches))
  }

  static fromFile(path, options) {
    return new this(new ConfigFile(pathText(path)), options)
  }

  #built(given) {
    if (given instanceof Reloaded) return given.addon
    const functions = [this.#options.fetch !== undefined, this.#events.isObserved]
    return given instanceof ConfigFile
      ? addon.Sessions.fromFile(given.path, ...functions)
      : new addon.Sessions(given, ...functions)
  }

  get verifier() {
    return this.#verifier
  }

  login(request) {
    return this.#call(LOGIN, request)
  }

  loginSync(request) {
    return this.#callSync(LOGIN, request)
  }

  lookup(token) {
    return this.#call(LOOKUP, token)
  }

  lookupSync(token) {
    return this.#callSync(LOOKUP, token)
  }

  lookupAccessor(accessor) {
    return this.#call(LOOKUP_ACCESSOR, accessor)
  }

  lookupAccessorSync(accessor) {
    return this.#callSync(LOOKUP_ACCESSOR, accessor)
  }

  renew(token, increment) {
    return this.#call(RENEW, token, increment)
  }

  renewSync(token, increment) {
    return this.#callSync(RENEW, token, increment)
  }

  revoke(token) {
    return this.#call(REVOKE, token)
  }

  revokeSync(token) {
    return this.#callSync(REVOKE, token)
  }

  revokeAccessor(accessor) {
    return this.#call(REVOKE_ACCESSOR, accessor)
  }

  revokeAccessorSync(accessor) {
    return this.#callSync(REVOKE_ACCESSOR, accessor)
  }

  revokeAll(group) {
    return this.#call(REVOKE_ALL, group)
  }

  revokeAllSync(group) {
    return this.#callSync(REVOKE_ALL, group)
  }

  authorize(token, remoteAddr) {
    return this.#call(AUTHORIZE, token, remoteAddr)
  }

  authorizeSync(token, remoteAddr) {
    return this.#callSync(AUTHORIZE, token, remoteAddr)
  }

  sweep() {
    return this.#call(SWEEP)
  }

  sweepSync() {
    return this.#callSync(SWEEP)
  }

  async reload(config) {
    const json = configText(config)
    const built = await new Promise((resolve) => attempt(() => this.#addon.reload(json, resolve)))
    if (typeof built === 'string') throw failed(built)
    return new Sessions(new Reloaded(built), this.#options)
  }

  reloadSync(config) {
    const json = configText(config)
    return new Sessions(new Reloaded(attempt(() => this.#addon.reloadSync(json))), this.#options)
  }

  async callJson(verb, request) {
    return this.#reply(text(verb, 'verb'), text(request, 'request'))
  }

  callJsonSync(verb, request) {
    return this.#replySync(text(verb, 'verb'), text(request, 'request'))
  }

  /** Does a verb. Reads the arguments here, so that a wrong one rejects the promise. */
  async #call(verb, ...given) {
    return verb.result(await this.#reply(verb.name, verb.request(...given)))
  }

  #callSync(verb, ...given) {
    return verb.result(this.#replySync(verb.name, verb.request(...given)))
  }

  /** Does a verb outside the event loop, and makes the fetches that a login lacks; returns the reply. */
  async #reply(verb, request) {
    // There is nothing to wait for, and a change of threads would only take longer.
    if (this.#isInMemory && QUICK.has(verb) && request.length < 1024) return this.#replySync(verb, request)
    for (let after; ; ) {
      const answer = await new Promise((resolve) => attempt(() => this.#addon.call(verb, request, after, resolve)))
      this.#events.deliver()
      if (typeof answer === 'string') return answer
      await this.#fetches.run(answer)
      after = answer
    }
  }

  #replySync(verb, request) {
    const reply = attempt(() => this.#addon.callSync(verb, request))
    this.#events.deliver()
    return reply
  }
}

/** The verbs that take some microseconds in memory. */
const QUICK = new Set(['authorize', 'lookup', 'lookup_accessor', 'renew', 'revoke', 'revoke_accessor'])

module.exports = { Sessions }
