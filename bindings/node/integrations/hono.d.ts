import type { Context, MiddlewareHandler } from 'hono'

import type { Claims, Grant, Verifier } from '../index.js'
import type { Options, Requirement } from './types.js'

export type { EntitlementName, Options, Refusal, Requirement } from './types.js'

/** What a context has after `jwtAuth`: `new Hono<AuthEnv>()`. */
export interface AuthEnv {
  Variables: {
    /** The grant of the request. */
    auth: Grant
  }
}

/** What a context has after `jwtAuth(…).optional`. */
export interface OptionalAuthEnv {
  Variables: {
    /** The grant of the request; undefined without a token. */
    auth: Grant | undefined
  }
}

/** Middleware that lets a request in only with a grant, and sets the variable `auth`. */
export interface JwtAuth extends MiddlewareHandler<AuthEnv> {
  /** Middleware that also requires that the grant has something. It can be used alone. */
  requires(): MiddlewareHandler<AuthEnv>
  requires(names: Requirement): MiddlewareHandler<AuthEnv>
  /** Middleware that also lets in requests without a token. An invalid token is refused. */
  optional: MiddlewareHandler<OptionalAuthEnv>
}

/**
 * Makes middleware for Hono 4.
 *
 * It decides a request once, also if it is used several times. It decides every method, also OPTIONS: use the middleware that
 * answers CORS requests before it. The caller's address is known with `@hono/node-server`; elsewhere set `remoteAddr` if the
 * configuration binds networks.
 */
export declare function jwtAuth<C extends object = Claims>(verifier: Verifier<C>, options?: Options<Context>): JwtAuth
