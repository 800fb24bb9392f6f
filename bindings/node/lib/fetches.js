'use strict'

const { attempt } = require('./error.js')
const { answer } = require('./fetch.js')

/** The key fetches of a verifier that are in flight. Calls that lack the same fetch share it. */
class Fetches {
  #fetch
  /** Called when a fetch has ended, before those that wait for it. */
  #onEnd
  /** Entries of a fetch and the promise of its end. */
  #inFlight = []

  constructor(fetch, onEnd) {
    this.#fetch = fetch
    this.#onEnd = onEnd
  }

  /** Makes the fetches of an errand, all at the same time. Waits for those that other calls are making where they are needed. */
  async run(errand) {
    await Promise.all(errand.fetches().map((fetch) => this.#run(fetch)))
  }

  async #run(fetch) {
    const other = this.#inFlight.find((entry) => entry.fetch.equals(fetch))
    if (other === undefined) return this.#start(fetch)
    if (fetch.isNeeded) return other.ended
  }

  #start(fetch) {
    const ended = new Promise((resolve) => {
      const onEvent = (event, asked, exchange) => {
        if (event === 'fetch') {
          void answer(this.#fetch, asked, exchange)
        } else {
          this.#onEnd()
          resolve()
        }
      }
      attempt(() => fetch.run(onEvent))
    })
    const entry = { fetch, ended }
    this.#inFlight.push(entry)
    const remove = () => {
      this.#inFlight = this.#inFlight.filter((other) => other !== entry)
    }
    ended.then(remove, remove)
    // The cached keys can be used where a fetch that is not needed cannot be made.
    return fetch.isNeeded ? ended : ended.catch(() => {})
  }
}

module.exports = { Fetches }
