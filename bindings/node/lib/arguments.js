'use strict'

const { fileURLToPath } = require('node:url')

const addon = require('./addon.js')
const { attempt } = require('./error.js')

/** A configuration as JSON text. */
function configText(config) {
  if (typeof config === 'string') return wellFormed(config, 'config')
  if (!isPlainObject(config)) throw wrongType('config', 'a plain object or JSON text', config)
  const places = new Map()
  // `JSON.stringify` silently drops values that it cannot write. A configured check must never be lost, so every value
  // without an exact JSON form is refused.
  return JSON.stringify(config, function (key, value) {
    const holder = places.get(this)
    const place = holder === undefined ? 'config' : `${holder}.${wellFormed(key, holder)}`
    if (typeof value === 'string') return wellFormed(value, place)
    if (Array.isArray(value) || isPlainObject(value)) places.set(value, place)
    else if (value !== null && typeof value !== 'boolean' && !Number.isFinite(value)) {
      throw wrongType(place, 'JSON data', value)
    }
    return value
  })
}

/** The path of a file: text, or a URL as in `new URL('./verifier.json', import.meta.url)`. */
function pathText(path) {
  if (path instanceof URL) return fileURLToPath(path)
  if (typeof path !== 'string') throw wrongType('path', 'a string or a file URL', path)
  return wellFormed(path, 'path')
}

/** The functions in a constructor's options. */
function functions(options = {}) {
  if (!isPlainObject(options)) throw wrongType('options', 'a plain object', options)
  const read = { fetch: undefined, onEvent: undefined }
  for (const [name, value] of Object.entries(options)) {
    if (!Object.hasOwn(read, name)) throw invalid(`options has no member ${JSON.stringify(name)}`, 'ERR_INVALID_ARG_VALUE')
    if (value !== undefined && typeof value !== 'function') throw wrongType(`options.${name}`, 'a function', value)
    read[name] = value
  }
  return read
}

/**
 * A token or a request, as the addon takes it: the token, or JSON text with what only JSON can hold; and the rest.
 * A member that is undefined counts as absent.
 */
function readRequest(request, known = REQUEST) {
  const isBare = typeof request === 'string'
  const read = { text: request, isBare, isJson: false, profile: undefined, remoteAddr: undefined, cachedOnly: false }
  if (isBare) return read
  if (!isPlainObject(request)) throw wrongType('request', 'a token or a plain object', request)
  let token, url, fields
  for (const name of Object.keys(request)) {
    const value = request[name]
    if (value === undefined) continue
    switch (name) {
      case 'token':
        token = string(value, 'request.token')
        break
      case 'url':
        url = text(value, 'request.url')
        break
      case 'headers':
        fields = headers(value, 'request.headers')
        break
      case 'profile':
      case 'remoteAddr':
        read[name] = string(value, `request.${name}`)
        break
      case 'cachedOnly':
        read.cachedOnly = flag(value, 'request.cachedOnly')
        break
      default:
        refuseMember(name, known)
    }
  }
  read.isJson = token === undefined || url !== undefined || fields !== undefined
  if (read.isJson && token !== undefined) wellFormed(token, 'request.token')
  read.text = read.isJson ? JSON.stringify({ __proto__: null, token, headers: fields, url }) : token
  return read
}

/** The tokens of a batch, and what the program adds to all of them. */
function readBatch(tokens, options = {}) {
  // A string is an iterable too, and its characters would be taken for tokens.
  if (typeof tokens === 'string' || typeof tokens?.[Symbol.iterator] !== 'function') {
    throw wrongType('tokens', 'an iterable of strings', tokens)
  }
  if (!isPlainObject(options)) throw wrongType('options', 'a plain object', options)
  const read = { texts: [], profile: undefined, remoteAddr: undefined, cachedOnly: false, threads: undefined }
  for (const name of Object.keys(options)) {
    const value = options[name]
    if (value === undefined) continue
    switch (name) {
      case 'profile':
      case 'remoteAddr':
        read[name] = string(value, `options.${name}`)
        break
      case 'cachedOnly':
        read.cachedOnly = flag(value, 'options.cachedOnly')
        break
      case 'threads':
        if (!Number.isInteger(value) || value < 1) {
          throw invalid('options.threads must be an integer that is at least 1', 'ERR_INVALID_ARG_VALUE')
        }
        read.threads = Math.min(value, 0xffff_ffff)
        break
      default:
        refuseMember(name, 'the options of a batch are `profile`, `remoteAddr`, `cachedOnly` and `threads`')
    }
  }
  for (const token of tokens) read.texts.push(string(token, `tokens[${read.texts.length}]`))
  return read
}

/** Whether an explanation shows values. */
function showValues(options = {}) {
  if (!isPlainObject(options)) throw wrongType('options', 'a plain object', options)
  let shown = false
  for (const [name, value] of Object.entries(options)) {
    if (name !== 'showValues') throw invalid(`options has no member ${JSON.stringify(name)}`, 'ERR_INVALID_ARG_VALUE')
    if (value !== undefined) shown = flag(value, 'options.showValues')
  }
  return shown
}

/** A request as JSON text in the wire format. */
function jsonRequest(request) {
  const text = string(request, 'request')
  return { text, isBare: false, isJson: true, profile: undefined, remoteAddr: undefined, cachedOnly: false }
}

const REQUEST = 'the members of a request are `token`, `headers`, `url`, `profile`, `remoteAddr` and `cachedOnly`'

function refuseMember(name, known) {
  wellFormed(name, 'request')
  const shown = name.length > 64 ? `${[...name].slice(0, 64).join('')}…` : name
  attempt(() => addon.refuseRequest(`\`${shown}\` is not known; ${known}`))
}

function headers(headers, place) {
  const wire = Object.create(null)
  for (const [name, value] of headerEntries(headers, place)) {
    if (value === undefined) continue
    const header = `${place}[${JSON.stringify(wellFormed(text(name, place), place))}]`
    const values = Array.isArray(value) ? value.map((item) => text(item, header)) : text(value, header)
    // Entries of an iterable may repeat a name. All values are kept, because the core refuses a repeated token.
    wire[name] = name in wire ? [].concat(wire[name], values) : values
  }
  return wire
}

/** The entries of a plain object, or of the web's `Headers` and other iterables of names and values, such as a `Map`. */
function headerEntries(headers, place) {
  // An array is refused, because `IncomingMessage.rawHeaders` has names and values in turn, and not in pairs.
  if (typeof headers === 'object' && headers !== null && !Array.isArray(headers)) {
    const isIterable = typeof headers[Symbol.iterator] === 'function'
    if (!isIterable && isPlainObject(headers)) return Object.entries(headers)
    const entries = isIterable ? [...headers] : [undefined]
    if (entries.every((entry) => Array.isArray(entry) && entry.length === 2)) return entries
  }
  throw wrongType(place, 'Headers, or a plain object such as IncomingMessage.headers', headers)
}

function text(value, place) {
  return wellFormed(string(value, place), place)
}

function string(value, place) {
  if (typeof value !== 'string') throw wrongType(place, 'a string', value)
  return value
}

function flag(value, place) {
  if (typeof value !== 'boolean') throw wrongType(place, 'a boolean', value)
  return value
}

/** Returns the text if it has a UTF-8 form, else throws. */
function wellFormed(text, place) {
  if (!text.isWellFormed()) attempt(() => addon.refuseNotUtf8(place))
  return text
}

/** Whether a value is a plain object, without a class; objects of other realms count too. */
function isPlainObject(value) {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const prototype = Object.getPrototypeOf(value)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

function wrongType(place, wanted, value) {
  // The constructor's name is not used, because the input may have a member `constructor`.
  const kind = Object.prototype.toString.call(value).slice('[object '.length, -1)
  return invalid(`${place} must be ${wanted}, not ${kind === 'Object' ? 'an instance of a class' : kind}`, 'ERR_INVALID_ARG_TYPE')
}

function invalid(message, code) {
  return Object.assign(new TypeError(message), { code })
}

module.exports = {
  configText, functions, invalid, isPlainObject, jsonRequest, pathText, readBatch, readRequest, showValues, text, wrongType,
}
