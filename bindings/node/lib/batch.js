'use strict'

const { failed } = require('./error.js')
const { granted } = require('./grant.js')

/** Decides a batch of the addon in rounds, outside the event loop, and makes the fetches that it lacks between them. */
async function decideBatch(batch, tokens, fetches, events) {
  for (;;) {
    const round = await batch.round()
    events.deliver()
    if (Array.isArray(round)) return round.map((reply, index) => outcome(reply, { isBare: true, text: tokens[index] }))
    await fetches.run(round)
  }
}

/** The outcome of one request, in the form of `Promise.allSettled`. */
function outcome({ isGrant, text }, asked) {
  if (isGrant) return { status: 'fulfilled', value: granted(text) }
  return { status: 'rejected', reason: failed(text, asked) }
}

module.exports = { decideBatch, outcome }
