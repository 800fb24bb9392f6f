'use strict'

const { Authenticator, GRANTED, Refused, Requirement, nodeParts } = require('./core.js')

/** Middleware for Koa. It sets `ctx.state.auth`. */
function jwtAuth(verifier, options) {
  const authenticator = new Authenticator(verifier, options)
  const { remoteAddr } = authenticator

  const middleware = (requirement, isOptional) =>
    async function jwtAuth(context, next) {
      try {
        const parts = () => nodeParts(context.req, context.originalUrl, remoteAddr && (() => remoteAddr(context)))
        context.state.auth = await authenticator.admit(context.req, parts, requirement, isOptional)
      } catch (thrown) {
        if (!(thrown instanceof Refused)) throw thrown
        context.status = thrown.status
        context.set(thrown.headers)
        context.body = thrown.detail
        return
      }
      await next()
    }

  return Object.assign(middleware(GRANTED, false), {
    requires: (...names) => middleware(new Requirement(...names), false),
    optional: middleware(GRANTED, true),
  })
}

module.exports = { jwtAuth }
