import type { Context, Middleware } from 'koa'

import type { Claims, Grant, Verifier } from '../index.js'
import type { Options, Requirement } from './types.js'

export type { EntitlementName, Options, Refusal, Requirement } from './types.js'

/** The state of a context after `jwtAuth`: `new Koa<AuthState>()`. */
export interface AuthState {
  /** The grant of the request. Undefined without a token, if that is optional. */
  auth?: Grant
}

/** Middleware that lets a request in only with a grant, and sets `ctx.state.auth`. */
export interface JwtAuth extends Middleware<AuthState> {
  /** Middleware that also requires that the grant has something. It can be used alone. */
  requires(): Middleware<AuthState>
  requires(names: Requirement): Middleware<AuthState>
  /** Middleware that also lets in requests without a token. An invalid token is refused. */
  optional: Middleware<AuthState>
}

/**
 * Makes middleware for Koa 2 and 3.
 *
 * It decides a request once, also if it is used several times. It decides every method, also OPTIONS: put the middleware that
 * answers CORS requests before it.
 */
export declare function jwtAuth<C extends object = Claims>(verifier: Verifier<C>, options?: Options<Context>): JwtAuth
