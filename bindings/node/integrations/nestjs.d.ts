import type { CanActivate } from '@nestjs/common'

import type { Claims, Verifier } from '../index.js'
import type { Options, Requirement } from './types.js'

export type { EntitlementName, Options, Refusal, Requirement } from './types.js'

/** A guard and decorators that decide with one verifier. */
export interface JwtAuth {
  /** A guard that lets a request in only with a grant: `app.useGlobalGuards(auth.guard)`. */
  readonly guard: CanActivate
  /** A decorator for classes and handlers: the request needs a grant that has something. It does not need the guard. */
  Requires(): ClassDecorator & MethodDecorator
  Requires(names: Requirement): ClassDecorator & MethodDecorator
  /** A decorator for classes and handlers that need no grant: the guard lets all requests in, and they have no grant. */
  Public(): ClassDecorator & MethodDecorator
}

/** What the request of a handler has after the guard. */
export type { Grant } from '../index.js'

/**
 * Makes a guard and decorators for NestJS 10 and newer, with Express or Fastify.
 *
 * Guards run after middleware, and only for handlers: what middleware answers is not decided. A context that is not HTTP is
 * refused.
 */
export declare function jwtAuth<C extends object = Claims>(verifier: Verifier<C>, options?: Options<NodeRequest>): JwtAuth

/** The request of Express, or that of Fastify. */
export interface NodeRequest {
  readonly headers: { readonly [name: string]: string | string[] | undefined }
  readonly ip?: string | undefined
}

/** A decorator for an argument of a handler, which becomes the grant of the request. */
export declare function CurrentGrant(): ParameterDecorator
