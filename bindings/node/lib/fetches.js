'use strict'

const { attemptAsync } = require('./error.js')
const { answer } = require('./fetch.js')

/** Makes a call of the addon that runs on a thread of its own, and answers the fetches that it asks for meanwhile. */
function apart(call, fetch) {
  return attemptAsync(
    () =>
      new Promise((resolve, reject) => {
        call((what, text, exchange) => {
          if (what === 'fetch') void answer(fetch, text, exchange)
          else if (what === 'reply') resolve(text)
          else reject(new Error(text))
        })
      }),
  )
}

module.exports = { apart }
