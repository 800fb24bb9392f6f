import type { FastifyPluginAsync, FastifyRequest, onRequestAsyncHookHandler } from 'fastify'

import type { Claims, Grant, Verifier } from '../index.js'
import type { Options, Requirement } from './types.js'

export type { EntitlementName, Options, Refusal, Requirement } from './types.js'

declare module 'fastify' {
  interface FastifyRequest {
    /** The grant of the request, after `jwtAuth`. Undefined without a token, if that is optional. */
    auth?: Grant
  }
}

/** A plugin: every route of the instance needs a grant, and `request.auth` is the grant. */
export interface JwtAuth extends FastifyPluginAsync {
  /** A hook for `onRequest` that also requires that the grant has something. It can be used without the plugin. */
  requires(): onRequestAsyncHookHandler
  requires(names: Requirement): onRequestAsyncHookHandler
  /** A hook for `onRequest` that also lets in requests without a token, without the plugin. An invalid token is refused. */
  optional: onRequestAsyncHookHandler
}

/**
 * Makes a plugin for Fastify 4 and 5.
 *
 * Register it before the plugins with routes, because those get the hooks that exist when they are registered. It decides every
 * method, also OPTIONS, and unknown routes: register a plugin that answers CORS requests before it.
 */
export declare function jwtAuth<C extends object = Claims>(verifier: Verifier<C>, options?: Options<FastifyRequest>): JwtAuth
