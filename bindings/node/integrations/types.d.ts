import type { Entitlement } from '../index.js'

/** What a grant must have. Every member must hold; of several names in one member, the grant must have one. */
export interface Requirement {
  /** A role without a scope, such as a native role. */
  readonly role?: string | readonly string[]
  /** A policy. */
  readonly policy?: string | readonly string[]
  /** One of the caller's groups. */
  readonly group?: string | readonly string[]
  /** Any entitlement, with its scope if it has one: a role in an organisation of Grafana, a service of Consul. */
  readonly entitlement?: EntitlementName | readonly EntitlementName[]
}

/** An entitlement without variables. */
export type EntitlementName = Pick<Entitlement, 'kind' | 'name' | 'scope'>

/** How requests are decided. `R` is the framework's request. */
export interface Options<R> {
  /** The profile to decide under. It is trusted: never take it from a request. */
  readonly profile?: string | undefined
  /** The realm of challenges. */
  readonly realm?: string | undefined
  /** After how many seconds a client should try again if the keys are out of reach; default: 5. */
  readonly retryAfter?: number | undefined
  /**
   * Returns the caller's address, which is used only where the configuration binds networks. Without it, the address of the
   * connection is used. It is trusted.
   */
  readonly remoteAddr?: ((request: R) => string | undefined) | undefined
}

/** The body of a refusal. */
export interface Refusal {
  /** The error of RFC 6750, or `unauthorized`, `temporarily_unavailable`, `server_error`. */
  readonly error: string
  /** The code of the failure. */
  readonly code?: string
  readonly message: string
}
