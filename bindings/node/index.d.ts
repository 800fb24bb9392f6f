/** Decides requests by one configuration. Any number of requests may be under way at once. */
export declare class Verifier {
  /**
   * Reads and prepares everything once: keys, files, expressions. Opens no connection.
   *
   * @param config the envelope `{ dialect, config, options? }`, as an object or as JSON text
   * @throws {JwtAuthError} of class `config`
   * @throws {TypeError} `ERR_INVALID_ARG_TYPE`, also for a member that is undefined or has no JSON form
   */
  constructor(config: Config | string, options?: VerifierOptions)

  /**
   * Decides one request. **Await it**: the promise itself says nothing.
   *
   * With the keys at hand it decides at once. Where keys have to be fetched, that happens away from the event loop, and
   * calls that come meanwhile share the fetch.
   *
   * @throws {JwtAuthError} (rejects) for every answer but yes
   * @throws {TypeError} (rejects) `ERR_INVALID_ARG_TYPE`
   */
  authenticate(request: AuthRequest | string): Promise<Grant>

  /**
   * Decides one request on the calling thread, for scripts: the event loop waits meanwhile, also for a fetch.
   *
   * With a `fetch` function of your own it decides with the keys at hand, as with `cachedOnly`: the function needs the
   * event loop, and could never answer.
   */
  authenticateSync(request: AuthRequest | string): Grant

  /** What this verifier decides by, in the native form: it can be given to a constructor as it is. */
  policy(): Policy

  /**
   * Fetches the keys of every source now, and says how each one is.
   *
   * @throws {JwtAuthError} (rejects) of class `unavailable`, with `sources`, unless all of them answer
   */
  refreshKeys(): Promise<readonly SourceStatus[]>
}

/** What a verifier needs beside its configuration. */
export interface VerifierOptions {
  /**
   * Fetches keys in place of the built-in client. `(request) => fetch(request.url, { ...request, redirect: 'manual' })` does.
   *
   * To throw means that nothing was fetched. Of the error, its name and its `code` become known; a {@link FetchError}
   * says more. Settings that are for the built-in client (certificates, proxies, redirects, a bearer token) are yours now.
   */
  readonly fetch?: ((request: FetchRequest) => Promise<FetchResponse> | FetchResponse) | undefined
}

/** What a `fetch` function is asked for. It fits as the second argument of the global `fetch`. */
export interface FetchRequest {
  readonly url: string
  readonly headers: { readonly [name: string]: string }
  /** How long there is to answer. Nobody waits longer. */
  readonly timeoutMs: number
  /** A larger body is refused. */
  readonly maxBytes: number
  /** Fires when the time is over. */
  readonly signal: AbortSignal
}

/** What a `fetch` function answers. The global `fetch`'s `Response` fits as it is. */
export interface FetchResponse {
  readonly status: number
  /** `Cache-Control`, `Expires`, `ETag` and `Last-Modified` are used. */
  readonly headers?: Iterable<readonly [string, string]> | { readonly [name: string]: string | readonly string[] | undefined } | null
  readonly body?: string | Uint8Array | AsyncIterable<Uint8Array | string> | null
}

/** What a `fetch` function throws to say how far it came, and why no further. */
export declare class FetchError extends Error {
  /** @param reason becomes part of the `detail` of errors, so it must hold no secret */
  constructor(phase: FetchPhase, reason: string, options?: ErrorOptions)
  readonly phase: FetchPhase
  readonly reason: string
}

/** The phases of a fetch, in their order. */
export type FetchPhase = 'dns' | 'connect' | 'tls' | 'http' | 'parse'

/** A configuration's envelope. `docs/dialects/` describes each dialect's own keys. */
export interface Config {
  readonly dialect: Dialect
  readonly config: object
  readonly options?: {
    /** What relative paths are relative to; the working directory, if absent. */
    readonly base_dir?: string
    readonly max_token_bytes?: number
    /** A fixed time in seconds since 1970, for tests. */
    readonly now?: number
  }
}

/** What {@link Verifier.policy} returns. */
export interface Policy {
  readonly dialect: 'native'
  readonly config: { readonly [member: string]: unknown }
  /** What was accepted, and is probably a mistake. */
  readonly warnings: readonly { readonly key: string; readonly message: string }[]
  /** How each key source is. */
  readonly key_status: readonly SourceStatus[]
}

/** A key source as it is now. Times are in whole seconds. */
export type SourceStatus = FixedSource | FetchedSource

/** Keys from the configuration or from a file. */
export interface FixedSource {
  /** Where it stands in the native configuration: `keys[0].jwks_file`. */
  readonly source: string
  readonly state: 'fixed'
  /** How many keys can be used. */
  readonly keys: number
  /** The names of those that have one. */
  readonly kids: readonly string[]
}

/** Keys that are fetched. */
export interface FetchedSource {
  /** Where it stands in the native configuration: `keys[0].jwks_url`. */
  readonly source: string
  readonly state: 'unfetched' | 'fresh' | 'stale' | 'expired'
  /** How many keys can be used. */
  readonly keys: number
  /** The names of those that have one. */
  readonly kids: readonly string[]
  /** Of the key set or of the issuer, without the query. */
  readonly url: string
  /** Where the issuer said that its key set is. */
  readonly jwks_uri?: string
  /** How long ago the server last said what its keys are. */
  readonly age?: number
  /** In how long the next request looks for newer keys; zero: the next one that comes. */
  readonly next_refresh: number
  /** Whether the last fetch failed. */
  readonly failing: boolean
  /** The last failure, also after it was overcome. */
  readonly last_failure?: {
    readonly phase: FetchPhase
    readonly status?: number
    readonly reason: string
    readonly bytes_read: number
    readonly age: number
  }
  readonly fetches: number
  readonly failures: number
  /** How many requests were decided with keys whose time was over. */
  readonly served_stale: number
  /** How many requests named a key that the source does not have. */
  readonly unknown_kid: number
}

/**
 * What arrived. Never hand a client's own JSON on as a request: `profile` and `remoteAddr` are the host's word.
 * A member that is undefined is absent; an unknown member is refused.
 */
export interface AuthRequest {
  /** The token itself. */
  readonly token?: string | undefined
  /** The headers, where the configuration reads tokens from headers. `IncomingMessage.headers` fits as it is. */
  readonly headers?: RequestHeaders | undefined
  /** The URL, where the configuration reads tokens from the query. `IncomingMessage.url` fits as it is. */
  readonly url?: string | undefined
  /** The profile to decide under (Vault: the role). */
  readonly profile?: string | undefined
  /** The caller's address, for bound networks. `socket.remoteAddress` fits as it is. */
  readonly remoteAddr?: string | undefined
  /** The same in the wire's spelling; give one of the two. */
  readonly remote_addr?: string | undefined
  /**
   * Decide with the keys at hand. Where keys would have to be fetched first, the answer is `key_source_unavailable`.
   */
  readonly cachedOnly?: boolean | undefined
  /** The same in the wire's spelling; give one of the two. */
  readonly cached_only?: boolean | undefined
}

/** Header names with their values, in the shape that Node's http and http2 modules give them. */
export interface RequestHeaders {
  readonly [name: string]: string | readonly string[] | undefined
}

/** The only yes. Made by a {@link Verifier} alone, frozen, and parsed when a part of it is first read. */
export declare class Grant {
  private constructor()
  /** The profile it was granted under; undefined for the configuration's top level. */
  get profile(): string | undefined
  get identity(): Identity
  /** What the caller may have. */
  get entitlements(): readonly Entitlement[]
  /** What the caller must lose, if they hold it. */
  get revocations(): readonly Entitlement[]
  get session(): Session
  /** The request's URL without its token, where the configuration reads tokens from URLs. */
  get cleaned_url(): string | undefined
  /** The verified claims. Numbers beyond 2^53 lose digits here as in all of JavaScript; `json` has them exactly. */
  get claims(): Claims
  /** The reply's text, byte for byte the same in every language. */
  get json(): string
  /** The whole reply; what `JSON.stringify` writes. */
  toJSON(): GrantReply
}

/** A grant as it is on the wire. */
export interface GrantReply {
  readonly outcome: 'granted'
  readonly profile?: string
  readonly identity: Identity
  readonly entitlements: readonly Entitlement[]
  readonly revocations: readonly Entitlement[]
  readonly session: Session
  readonly cleaned_url?: string
  readonly claims: Claims
}

/** A token's claims set. */
export interface Claims {
  readonly [name: string]: unknown
}

/** Who the caller is. */
export interface Identity {
  /** The name to know the caller by. */
  readonly name?: string
  /** The token's `sub`. */
  readonly subject?: string
  readonly email?: string
  readonly display_name?: string
  /** The organisation the request asks to act in (Grafana). */
  readonly requested_org?: number
  readonly groups: readonly string[]
  readonly metadata: { readonly [name: string]: string }
  readonly lists: { readonly [name: string]: readonly string[] }
}

/** One thing a caller may have. */
export interface Entitlement {
  readonly kind: EntitlementKind
  /** Where it holds: an organisation's id, a datacenter. */
  readonly scope?: string
  readonly name: string
  /** The variables of a templated policy. */
  readonly variables?: { readonly [name: string]: string }
}

/** The terms of a session; a member is there where the configuration sets it. Times are in seconds. */
export interface Session {
  /** Absent: it does not end by itself. */
  readonly ttl?: number
  readonly max_ttl?: number
  readonly explicit_max_ttl?: number
  readonly period?: number
  /** Absent: without limit. */
  readonly num_uses?: number
  readonly token_type?: string
  readonly renewable?: boolean
  readonly bound_cidrs?: readonly string[]
  readonly display_name?: string
  readonly local?: boolean
  readonly auth_method?: string
  readonly allow_sign_up?: boolean
  readonly sync_org_roles?: boolean
  readonly sync_teams?: boolean
}

/** Every answer but yes. Tell them apart by `class`. */
export declare class JwtAuthError extends Error {
  constructor(failure: Failure)
  /** What happened; never renamed. */
  readonly code: Code
  /** What to do about it. */
  readonly class: Class
  /** Where it happened. */
  readonly stage: Stage
  /** The name of the claim it is about. */
  readonly claim?: string
  /** Where in the configuration, which file, what the operating system said. */
  readonly detail?: string
  /** Only on denials. False: the configured system would ask its next authenticator. It is still a denial. */
  readonly applicable?: boolean
  /** The status that the configured system would answer over HTTP. */
  readonly httpStatus?: number
  /** Only from {@link Verifier.refreshKeys}: how each key source is. */
  readonly sources?: readonly SourceStatus[]
}

/** A failure as it is on the wire. */
export interface Failure {
  readonly outcome?: 'failed'
  readonly class: Class
  readonly code: Code
  readonly stage: Stage
  readonly claim?: string
  readonly message: string
  readonly detail?: string
  readonly applicable?: boolean
  readonly http_status?: number
  readonly sources?: readonly SourceStatus[]
}

/** The library's version. */
export declare const version: string

// The core's tables; `make generate` writes this part anew.
// <generated>
/** The stable name of a failure. */
export type Code =
  | 'token_missing'
  | 'token_ambiguous'
  | 'authenticator_disabled'
  | 'profile_unknown'
  | 'profile_missing'
  | 'profile_closed'
  | 'address_not_allowed'
  | 'token_malformed'
  | 'token_too_large'
  | 'header_invalid'
  | 'header_unsupported'
  | 'algorithm_not_allowed'
  | 'key_not_found'
  | 'signature_invalid'
  | 'claims_malformed'
  | 'claim_missing'
  | 'claim_invalid'
  | 'claim_mismatch'
  | 'issuer_mismatch'
  | 'subject_mismatch'
  | 'audience_mismatch'
  | 'audience_unexpected'
  | 'token_not_yet_valid'
  | 'token_expired'
  | 'token_issued_in_future'
  | 'token_too_old'
  | 'lifetime_missing'
  | 'identity_missing'
  | 'identity_invalid'
  | 'groups_invalid'
  | 'mapping_failed'
  | 'role_unresolved'
  | 'role_invalid'
  | 'binding_invalid'
  | 'binding_unmatched'
  | 'policy_forbidden'
  | 'config_invalid'
  | 'key_source_missing'
  | 'key_source_conflict'
  | 'key_invalid'
  | 'algorithm_unsupported'
  | 'expression_invalid'
  | 'key_source_unavailable'
  | 'key_set_invalid'
  | 'discovery_failed'
  | 'discovery_issuer_mismatch'
  | 'argument_null'
  | 'argument_not_utf8'
  | 'request_invalid'
  | 'internal_error'

/** What a caller should do about a failure. */
export type Class =
  | 'denied'
  | 'config'
  | 'unavailable'
  | 'argument'
  | 'internal'

/** Where a failure happened. */
export type Stage =
  | 'extract'
  | 'decode'
  | 'select_key'
  | 'verify_signature'
  | 'validate_claims'
  | 'map_identity'
  | 'decide'
  | 'configure'

/** The sorts of entitlement. */
export type EntitlementKind =
  | 'org_role'
  | 'server_admin'
  | 'policy'
  | 'role'
  | 'service'
  | 'node'
  | 'templated_policy'

/** The languages a configuration may be written in. */
export type Dialect =
  | 'native'
  | 'grafana'
  | 'consul'
  | 'vault'
// </generated>
