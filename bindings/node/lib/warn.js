'use strict'

const { inspect } = require('node:util')

/** Makes a warning of the process of what a function of the program threw. Never throws, whatever that is. */
function warn(thrown) {
  process.emitWarning(printable(thrown))
}

function printable(thrown) {
  try {
    if (!(thrown instanceof Error)) return new Error(inspect(thrown))
    // Node reads these to print a warning, and an error while it does so ends the process.
    for (const part of [thrown, thrown.name, thrown.code, thrown.stack, typeof thrown.detail]) void `${part}`
    return thrown
  } catch {
    return new Error('a function of the program threw a value that cannot be shown')
  }
}

module.exports = { warn }
