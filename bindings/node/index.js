'use strict'

const addon = require('./lib/addon.js')
const { JwtAuthError } = require('./lib/error.js')
const { Explanation } = require('./lib/explanation.js')
const { FetchError } = require('./lib/fetch.js')
const { Grant } = require('./lib/grant.js')
const { Verifier } = require('./lib/verifier.js')

module.exports = { Explanation, FetchError, Grant, JwtAuthError, Verifier, version: addon.version() }
