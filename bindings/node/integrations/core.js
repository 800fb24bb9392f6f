'use strict'

const { Verifier } = require('../index.js')
const { isPlainObject } = require('../lib/arguments.js')
const { JwtAuthError } = require('../lib/error.js')
const { warn } = require('../lib/warn.js')
const { Refused, mistake, refusal } = require('./refused.js')
const { Requirement } = require('./requirement.js')

/** Decides requests with one verifier. Remembers the grant of a request for as long as the request exists. */
class Authenticator {
  #verifier
  #profile
  #realm
  #retryAfter
  #place
  #granted = new WeakMap()

  constructor(verifier, options = {}) {
    if (!(verifier instanceof Verifier)) throw new TypeError('verifier must be a Verifier')
    if (!isPlainObject(options)) throw new TypeError('options must be a plain object')
    const { profile, realm, retryAfter = 5, remoteAddr, ...others } = own(options)
    for (const name of Object.keys(others)) throw new TypeError(`options has no member ${JSON.stringify(name)}`)
    for (const [name, value] of Object.entries({ profile, realm, retryAfter, remoteAddr })) {
      if (value !== undefined && !OPTIONS[name](value)) throw new TypeError(`options.${name} is invalid`)
    }
    this.#verifier = verifier
    this.#profile = profile
    this.#realm = realm
    this.#retryAfter = retryAfter
    this.remoteAddr = remoteAddr
    this.#place = place(own(verifier.policy().config).token)
  }

  /**
   * The grant of a request: the one that it already has, or a new one.
   *
   * @param request the object that stands for the request, and for no other one
   * @param parts gives the headers, the URL and the address of the request
   * @throws {Refused} (rejects) if it is not granted
   */
  async decide(request, parts) {
    const earlier = this.#granted.get(request)
    if (earlier !== undefined) return earlier
    try {
      const { headers, rawHeaders, url, remoteAddr } = read(parts)
      const found = this.#credentials(headers, rawHeaders, url)
      const grant = await this.#verifier.authenticate({ ...found, profile: this.#profile, remoteAddr: remoteAddr ?? undefined })
      this.#granted.set(request, grant)
      return grant
    } catch (thrown) {
      throw thrown instanceof Refused ? thrown : refusal(thrown, this.#retryAfter)
    }
  }

  /**
   * Decides a request, and checks what the grant must have. Returns undefined only for a request without a token, if that is
   * optional.
   */
  async admit(request, parts, requirement, isOptional) {
    try {
      const grant = await this.decide(request, parts)
      requirement.check(grant)
      return grant
    } catch (thrown) {
      const refused = thrown instanceof Refused ? thrown : mistake(thrown)
      if (isOptional && refused.code === 'token_missing') return undefined
      refused.realm = this.#realm
      throw refused
    }
  }

  #credentials(headers, rawHeaders, url) {
    const { isBearer, header, names, prefix } = this.#place
    const found = { __proto__: null }
    for (const name of names) {
      if (typeof headers.get === 'function') found[name] = headers.get(name) ?? undefined
      else if (Object.hasOwn(headers, name)) found[name] = headers[name] ?? undefined
    }
    const values = repeated(rawHeaders, header)
    if (values !== undefined) found[header] = values
    // A token alone is decided without a detour through JSON. The core finds the same one, and judges every other form.
    const value = found[header]
    if (prefix !== undefined && typeof value === 'string' && value.startsWith(prefix) && TOKEN.test(value.slice(prefix.length))) {
      return { token: value.slice(prefix.length) }
    }
    if (!isBearer) return { headers: found, url }
    // For configurations that name no place, the place of RFC 6750, section 2.1.
    if (values !== undefined) throw new JwtAuthError(AMBIGUOUS)
    return { token: BEARER.exec(found.authorization ?? '')?.[1] }
  }
}

const OPTIONS = {
  __proto__: null,
  profile: (value) => typeof value === 'string',
  realm: (value) => typeof value === 'string' && /^[ !#-[\]-~]+$/.test(value),
  retryAfter: (value) => Number.isInteger(value) && value >= 0,
  remoteAddr: (value) => typeof value === 'function',
}

const AMBIGUOUS = {
  class: 'denied',
  code: 'token_ambiguous',
  stage: 'extract',
  message: 'the request contains more than one token',
  applicable: true,
}

const TOKEN = /^[\w.-]+$/
const BEARER = /^bearer +([^ \t].*)$/i

/** Where requests carry the token. Vault and Consul get it in the body of a login, so their configurations name no place. */
function place(token) {
  const named = own(token)
  const { query, cookie, prefix, requested_org: org, ...others } = named
  const isBearer = !named.header && !query && !cookie
  const header = isBearer ? 'authorization' : (named.header ?? '').toLowerCase()
  // Reading only these is faster, and changes nothing: the core ignores the other headers.
  const names = [header, cookie && 'cookie', org?.header?.toLowerCase()].filter(Boolean)
  // Only a header with a prefix, and nothing else that the core would read.
  const isAlone = names.length === 1 && !query && Object.keys(others).join() === 'header'
  const isPlain = isAlone && header !== '' && typeof prefix === 'string'
  return { isBearer, header, names, prefix: isPlain ? prefix : undefined }
}

/** The values of a repeated header. Node itself keeps only the first `Authorization`, and another reader the last. */
function repeated(rawHeaders, name) {
  if (rawHeaders === undefined) return undefined
  let values
  let first
  for (let i = 0; i < rawHeaders.length; i += 2) {
    if (rawHeaders[i].length !== name.length || rawHeaders[i].toLowerCase() !== name) continue
    if (first === undefined) first = rawHeaders[i + 1]
    else (values ??= [first]).push(rawHeaders[i + 1])
  }
  return values
}

/** The parts of a request of Node's http and http2 modules, given the URL as the client has sent it. */
function nodeParts(request, url, remoteAddr) {
  return {
    headers: request.headers,
    rawHeaders: request.rawHeaders,
    url,
    remoteAddr: remoteAddr === undefined ? request.socket?.remoteAddress : remoteAddr(),
  }
}

/** The parts of a request. What the application's function throws is no failure of a decision, also if it looks like one. */
function read(parts) {
  try {
    const found = parts()
    // A promise is refused as an address. A rejection that is not handled would end the process.
    if (found.remoteAddr instanceof Promise) found.remoteAddr.catch(warn)
    return found
  } catch (thrown) {
    throw mistake(thrown)
  }
}

/** The members of an object, without those that every object may inherit. */
function own(object) {
  return { __proto__: null, ...object }
}

const GRANTED = new Requirement()

module.exports = { Authenticator, GRANTED, Refused, Requirement, nodeParts }
