'use strict'

const { Authenticator, GRANTED, Refused, Requirement, nodeParts } = require('./core.js')

/** Middleware for Express, Connect and others with `(request, response, next)`. It sets `request.auth`. */
function jwtAuth(verifier, options) {
  const authenticator = new Authenticator(verifier, options)
  const { remoteAddr } = authenticator

  const middleware = (requirement, isOptional) =>
    async function jwtAuth(request, response, next) {
      let grant
      try {
        // A router that is mounted sees a shortened `url`.
        const parts = () => nodeParts(request, request.originalUrl ?? request.url, remoteAddr && (() => remoteAddr(request)))
        grant = await authenticator.admit(request, parts, requirement, isOptional)
      } catch (thrown) {
        return thrown instanceof Refused ? refuse(response, thrown) : next(thrown)
      }
      request.auth = grant
      next()
    }

  return Object.assign(middleware(GRANTED, false), {
    requires: (...names) => middleware(new Requirement(...names), false),
    optional: middleware(GRANTED, true),
  })
}

/** Responds without the framework, so that no error handler can turn the refusal into something else. */
function refuse(response, refused) {
  // Another middleware, such as one that limits the time, has responded while keys were fetched.
  if (response.headersSent) return
  const body = JSON.stringify(refused.detail)
  response.statusCode = refused.status
  for (const [name, value] of Object.entries(refused.headers)) response.setHeader(name, value)
  response.setHeader('Content-Type', 'application/json')
  response.setHeader('Content-Length', Buffer.byteLength(body))
  response.end(body)
}

module.exports = { jwtAuth }
