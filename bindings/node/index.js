'use strict'

const addon = require('./lib/addon.js')
const { JwtAuthError } = require('./lib/error.js')
const { Explanation } = require('./lib/explanation.js')
const { FetchError } = require('./lib/fetch.js')
const { Grant } = require('./lib/grant.js')
const { Login, SessionInfo } = require('./lib/session.js')
const { Sessions } = require('./lib/sessions.js')
const { Verifier } = require('./lib/verifier.js')

const version = addon.version()
module.exports = { Explanation, FetchError, Grant, JwtAuthError, Login, SessionInfo, Sessions, Verifier, version }
