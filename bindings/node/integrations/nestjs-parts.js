'use strict'

const { Authenticator, GRANTED, Refused, Requirement, nodeParts } = require('./core.js')

/** The integration for NestJS, made with the decorators of its package: `require` and `import` may load different ones. */
function integration({ createParamDecorator, HttpException, SetMetadata, UseGuards }) {
  function jwtAuth(verifier, options) {
    const authenticator = new Authenticator(verifier, options)
    const { remoteAddr } = authenticator
    const PUBLIC = Symbol('public')

    const guard = (requirement, mayBePublic) => ({
      async canActivate(context) {
        if (mayBePublic && isPublic(context, PUBLIC)) return true
        // Messages and socket events have no request whose token could be read.
        if (context.getType() !== 'http') return false
        const http = context.switchToHttp()
        const request = http.getRequest()
        // Fastify has Node's request as `raw`.
        const raw = request.raw ?? request
        const parts = () => nodeParts(raw, request.originalUrl ?? raw.url, remoteAddr && (() => remoteAddr(request)))
        try {
          request.auth = await authenticator.admit(raw, parts, requirement, false)
        } catch (thrown) {
          if (!(thrown instanceof Refused)) throw thrown
          const response = http.getResponse()
          const set = response.header ?? response.setHeader
          for (const [name, value] of Object.entries(thrown.headers)) set.call(response, name, value)
          throw new HttpException(thrown.detail, thrown.status)
        }
        return true
      },
    })

    return {
      guard: guard(GRANTED, true),
      Requires: (...names) => UseGuards(guard(new Requirement(...names), false)),
      Public: () => SetMetadata(PUBLIC, true),
    }
  }

  /** The grant of the request, as an argument of a handler. */
  const CurrentGrant = createParamDecorator((_, context) => context.switchToHttp().getRequest().auth)

  return { CurrentGrant, jwtAuth }
}

/** Whether a handler or its class is public. A class does not inherit it. */
function isPublic(context, key) {
  return Reflect.getOwnMetadata(key, context.getHandler()) === true || Reflect.getOwnMetadata(key, context.getClass()) === true
}

/** The error for a missing package. */
function needed(cause) {
  return new Error('jwtauth/nestjs needs @nestjs/common: npm install @nestjs/common', { cause })
}

module.exports = { integration, needed }
