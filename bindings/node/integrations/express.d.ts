import type { Request, RequestHandler } from 'express'

import type { Claims, Grant, Verifier } from '../index.js'
import type { Options, Requirement } from './types.js'

export type { EntitlementName, Options, Refusal, Requirement } from './types.js'

declare global {
  namespace Express {
    interface Request {
      /** The grant of the request, after `jwtAuth`. Undefined without a token, if that is optional. */
      auth?: Grant
    }
  }
}

/** Middleware that lets a request in only with a grant, and sets `req.auth`. */
export interface JwtAuth extends RequestHandler {
  /** Middleware that also requires that the grant has something. It can be used alone. */
  requires(): RequestHandler
  requires(names: Requirement): RequestHandler
  /** Middleware that also lets in requests without a token. An invalid token is refused. */
  optional: RequestHandler
}

/**
 * Makes middleware for Express 4 and 5.
 *
 * It decides a request once, also if it is used several times. It decides every method, also OPTIONS: put the middleware that
 * answers CORS requests before it. An `upgrade` to a WebSocket does not pass through middleware.
 */
export declare function jwtAuth<C extends object = Claims>(verifier: Verifier<C>, options?: Options<Request>): JwtAuth
