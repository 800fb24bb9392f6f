'use strict'

const { integration, needed } = require('./nestjs-parts.js')

function load() {
  try {
    return require('@nestjs/common')
  } catch (cause) {
    throw needed(cause)
  }
}

module.exports = integration(load())
