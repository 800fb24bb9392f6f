'use strict'

const { Authenticator, GRANTED, Refused, Requirement } = require('./core.js')

/** Middleware for Hono, which works on the web's `Request`. It sets the variable `auth`. */
function jwtAuth(verifier, options) {
  const authenticator = new Authenticator(verifier, options)
  const { remoteAddr } = authenticator

  /** `Headers` joins the values of a repeated header, so a repeated token is malformed. */
  const parts = (context) => () => {
    const { url, headers } = context.req.raw
    const address = remoteAddr === undefined ? context.env?.incoming?.socket?.remoteAddress : remoteAddr(context)
    return { headers, rawHeaders: undefined, url: url.slice(url.indexOf('/', url.indexOf('//') + 2)), remoteAddr: address }
  }

  const middleware = (requirement, isOptional) =>
    async function jwtAuth(context, next) {
      try {
        context.set('auth', await authenticator.admit(context.req.raw, parts(context), requirement, isOptional))
      } catch (thrown) {
        if (!(thrown instanceof Refused)) throw thrown
        return context.json(thrown.detail, thrown.status, thrown.headers)
      }
      await next()
    }

  return Object.assign(middleware(GRANTED, false), {
    requires: (...names) => middleware(new Requirement(...names), false),
    optional: middleware(GRANTED, true),
  })
}

module.exports = { jwtAuth }
