'use strict'

const { Authenticator, GRANTED, Refused, Requirement, nodeParts } = require('./core.js')

/** A plugin for Fastify: every route of the instance and of later ones inside it needs a grant. It sets `request.auth`. */
function jwtAuth(verifier, options) {
  const authenticator = new Authenticator(verifier, options)
  const { remoteAddr } = authenticator

  const hook = (requirement, isOptional) =>
    async function jwtAuth(request, reply) {
      try {
        const address = remoteAddr && (() => remoteAddr(request))
        const parts = () => nodeParts(request.raw, request.originalUrl ?? request.raw.url, address)
        request.auth = await authenticator.admit(request, parts, requirement, isOptional)
      } catch (thrown) {
        if (!(thrown instanceof Refused)) throw thrown
        return reply.code(thrown.status).headers(thrown.headers).send(thrown.detail)
      }
    }

  async function plugin(instance) {
    if (!instance.hasRequestDecorator('auth')) instance.decorateRequest('auth', undefined)
    instance.addHook('onRequest', hook(GRANTED, false))
  }
  // The hook is for the instance that registers the plugin, and not for an instance inside it.
  plugin[Symbol.for('skip-override')] = true
  plugin[Symbol.for('fastify.display-name')] = 'jwtauth'
  return Object.assign(plugin, {
    requires: (...names) => hook(new Requirement(...names), false),
    optional: hook(GRANTED, true),
  })
}

module.exports = { jwtAuth }
