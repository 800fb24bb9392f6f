'use strict'

const { invalid, isPlainObject, readRequest, text, wrongType } = require('./arguments.js')
const { failed } = require('./error.js')
const { found, issued } = require('./session.js')

/** A verb of sessions: how its request is made of arguments, and its result of the reply. */
function verb(name, outcome, request, result) {
  return {
    name,
    request: (...given) => JSON.stringify(request(...given)),
    result(json) {
      const reply = JSON.parse(json)
      if (reply.outcome !== outcome) throw failed(json)
      return result(reply, json)
    },
  }
}

const byToken = (token) => ({ token: text(token, 'token') })
const byAccessor = (accessor) => ({ accessor: text(accessor, 'accessor') })
const login = (reply, json) => issued(json, reply)
const session = (reply) => found(reply.session)
const count = (reply) => reply.count
const nothing = () => undefined

const LOGIN = verb('login', 'login', readLogin, login)
const LOOKUP = verb('lookup', 'session', byToken, session)
const LOOKUP_ACCESSOR = verb('lookup_accessor', 'session', byAccessor, session)
const RENEW = verb('renew', 'renewed', readRenewal, login)
const REVOKE = verb('revoke', 'revoked', byToken, nothing)
const REVOKE_ACCESSOR = verb('revoke_accessor', 'revoked', byAccessor, nothing)
const REVOKE_ALL = verb('revoke_all', 'revoked', readGroup, count)
const AUTHORIZE = verb('authorize', 'authorized', readUse, session)
const SWEEP = verb('sweep', 'swept', () => ({}), count)

/** A token or a request as for a decision, which may have `meta`. */
function readLogin(request) {
  let meta
  // Only its own `meta`: what objects inherit is not from the program.
  if (isPlainObject(request)) ({ meta, ...request } = { __proto__: null, ...request })
  const { text: read, isJson, profile, remoteAddr, cachedOnly } = readRequest(request, REQUEST)
  const members = isJson ? JSON.parse(read) : { token: text(read, 'token') }
  return {
    ...members,
    profile: optional(profile, 'request.profile'),
    remote_addr: optional(remoteAddr, 'request.remoteAddr'),
    cached_only: cachedOnly,
    meta: meta === undefined ? undefined : texts(meta, 'request.meta'),
  }
}

function readRenewal(token, increment = 0) {
  if (!Number.isSafeInteger(increment) || increment < 0) {
    throw invalid('increment must be an integer between 0 and 2^53 - 1', 'ERR_INVALID_ARG_VALUE')
  }
  return { ...byToken(token), increment }
}

function readGroup(group) {
  return texts(group, 'group')
}

function readUse(token, remoteAddr) {
  return { ...byToken(token), remote_addr: optional(remoteAddr, 'remoteAddr') }
}

/** An object whose members are texts. A member that is undefined counts as absent. */
function texts(value, place) {
  if (!isPlainObject(value)) throw wrongType(place, 'a plain object', value)
  return Object.fromEntries(
    Object.entries(value).map(([name, one]) => [text(name, place), optional(one, `${place}.${name}`)]),
  )
}

function optional(value, place) {
  return value === undefined ? undefined : text(value, place)
}

const REQUEST = 'the members of a login are those of a request, and `meta`'

module.exports = { AUTHORIZE, LOGIN, LOOKUP, LOOKUP_ACCESSOR, RENEW, REVOKE, REVOKE_ACCESSOR, REVOKE_ALL, SWEEP }
