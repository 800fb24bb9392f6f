// Options, methods and the arguments of callbacks are in camelCase. Replies (grants, errors, the policy, the status of key
// sources) are the JSON that all languages share, so their members have its names, such as `cleaned_url`.

import type { SessionCode } from './lib/sessions.js'

export * from './lib/sessions.js'

/**
 * Decides requests by one configuration. Any number of requests may be in flight concurrently.
 *
 * `C` is the type of the claims in its grants. It is a promise of the issuer to your program: the library does not check
 * it. Write `claims` rules into the configuration for what must be checked.
 */
export declare class Verifier<C extends object = Claims> {
  /**
   * Reads the keys and files, and compiles the expressions. Opens no connection.
   *
   * @param config the envelope `{ dialect, config, options? }`, as an object or as JSON text
   * @throws {JwtAuthError} of class `config`
   * @throws {TypeError} `ERR_INVALID_ARG_TYPE`, also for a member that is undefined or has no JSON form
   */
  constructor(config: Config | string, options?: VerifierOptions)

  /**
   * Builds a verifier from a file: a configuration as JSON, or a grafana.ini if the name ends in `.ini`. Relative paths in
   * it start in the folder of the file, unless it sets `base_dir`.
   *
   * @param path the file, or its URL, such as `new URL('./verifier.json', import.meta.url)`
   * @throws {JwtAuthError} of class `config`, also for a file that cannot be read; `detail` names the file
   * @throws {TypeError} `ERR_INVALID_ARG_TYPE`
   */
  static fromFile<C extends object = Claims>(path: string | URL, options?: VerifierOptions): Verifier<C>

  /**
   * Decides one request, or a token alone. **Always `await` it**: a promise is truthy even when the token is refused.
   *
   * With cached keys it decides immediately. If keys must be fetched, that does not block the event loop, and
   * concurrent calls share the fetch.
   *
   * @param request the request, or as text the token without `Bearer`
   * @throws {JwtAuthError} (rejects) for every outcome except a grant
   * @throws {TypeError} (rejects) `ERR_INVALID_ARG_TYPE`
   */
  authenticate(request: AuthRequest | string): Promise<Grant<C>>

  /**
   * Decides one request, or a token alone, on the calling thread, for scripts. It blocks the event loop, also during a
   * fetch.
   *
   * With a `fetch` function it uses only the cached keys, as with `cachedOnly`: the function needs the event loop,
   * which this call blocks.
   */
  authenticateSync(request: AuthRequest | string): Grant<C>

  /**
   * Decides one request given as JSON text in the wire format, as {@link Verifier.authenticate} does.
   *
   * It is for requests that arrive as JSON from another part of your program. Do not paste a token into the text, and
   * never forward a client's body: `profile` and `remote_addr` in it are trusted.
   */
  authenticateJson(request: string): Promise<Grant<C>>

  /** Decides one request given as JSON text, as {@link Verifier.authenticateSync} does. */
  authenticateJsonSync(request: string): Grant<C>

  /**
   * Decides many tokens on several threads, without blocking the event loop, for audits of logs and for queues.
   *
   * The promise has the outcomes of all tokens in their order, in the form of `Promise.allSettled`. Test each of them:
   * only `status === 'fulfilled'` is a grant. Each outcome is that of {@link Verifier.authenticate} for the token. Keys
   * that the tokens lack are fetched once for all of them.
   *
   * @param tokens the tokens, without `Bearer`; all of them are read before the first is decided
   * @throws {JwtAuthError} (rejects) of class `argument`, if an option is unknown
   * @throws {TypeError} (rejects) `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`
   */
  authenticateMany(tokens: Iterable<string>, options?: BatchOptions): Promise<Outcome<C>[]>

  /**
   * Decides one request, or a token alone, and explains the decision. It does not block the event loop.
   *
   * A denial, and every other failure of the decision, is the `decision` of the explanation and is not thrown. It counts as
   * a decision, so it may fetch keys.
   *
   * @param request as for {@link Verifier.authenticate}
   * @throws {JwtAuthError} (rejects) of class `argument`, if the object is not a request
   * @throws {TypeError} (rejects) `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`
   */
  explain(request: AuthRequest | string, options?: ExplainOptions): Promise<Explanation<C>>

  /** Decides and explains on the calling thread, as {@link Verifier.authenticateSync} does. */
  explainSync(request: AuthRequest | string, options?: ExplainOptions): Explanation<C>

  /** Decides one request given as JSON text, and explains the decision. A text that is not a request is explained too. */
  explainJson(request: string, options?: ExplainOptions): Promise<Explanation<C>>

  /** Decides and explains one request given as JSON text, on the calling thread. */
  explainJsonSync(request: string, options?: ExplainOptions): Explanation<C>

  /** What this verifier has done since it was built. It is counted also without `onEvent`. */
  counters(): Counters

  /**
   * The policy of this verifier.
   *
   * Every dialect is translated to the native form. The constructor accepts the reply, and the new verifier decides in the
   * same way. Secrets are printed as `(redacted)`, which is refused: put the secrets back first.
   */
  policy(): Policy

  /**
   * Fetches the keys of every source now, and returns the status of each source.
   *
   * @throws {JwtAuthError} (rejects) of class `unavailable`, with `sources`, if a source does not deliver keys
   */
  refreshKeys(): Promise<readonly SourceStatus[]>
}

/** What the program adds to all tokens of a batch. It is trusted: never fill it with data from the client. */
export interface BatchOptions {
  readonly profile?: string | undefined
  readonly remoteAddr?: string | undefined
  readonly cachedOnly?: boolean | undefined
  /** The number of threads at most; default: the number of cores. */
  readonly threads?: number | undefined
}

/** The outcome of one token of a batch. */
export type Outcome<C extends object = Claims> =
  | { readonly status: 'fulfilled'; readonly value: Grant<C> }
  | { readonly status: 'rejected'; readonly reason: JwtAuthError }

/** What an explanation contains. */
export interface ExplainOptions {
  /**
   * Whether the steps contain values of the token and of the request. Otherwise they contain only types and lengths. A
   * signature is never shown. The decision of a granted request contains the claims in both cases.
   */
  readonly showValues?: boolean | undefined
}

/** A decision, and every check that led to it. Only a {@link Verifier} creates it. It is frozen. */
export declare class Explanation<C extends object = Claims> {
  private constructor()
  /** The decision. Only `status === 'fulfilled'` is a grant. */
  get decision(): Outcome<C>
  /** The checks, in order. After a failure, those that were not reached. */
  get steps(): readonly ExplainedStep[]
  /** What to change, where the failure has a usual cause. */
  get hints(): readonly Hint[]
  /** The explanation as JSON text: the same bytes in every language. */
  get json(): string
  /** The explanation in the wire format; `JSON.stringify` writes this. */
  toJSON(): ExplanationReply<C>
}

/** An explanation in the wire format. */
export interface ExplanationReply<C extends object = Claims> {
  readonly decision: GrantReply<C> | Failure
  readonly steps: readonly ExplainedStep[]
  readonly hints: readonly Hint[]
}

/** What to change, for a failure that people meet often. */
export interface Hint {
  /** The name of the hint; names are never changed. */
  readonly name: string
  /** The place in the configuration that it is about. */
  readonly place?: string
  /** One sentence for people. */
  readonly text: string
}

/** One check of a decision. */
export interface ExplainedStep {
  readonly stage: DecisionStage
  /** The name of the check; names are never changed. */
  readonly check: string
  readonly outcome: 'passed' | 'failed' | 'not_applicable' | 'not_reached'
  /** True: it was made after the decision, for people, and has no part in it. */
  readonly informative?: boolean
  /** True: it has read claims that no key has signed. */
  readonly unverified?: boolean
  /** The place in the configuration, if it is configured. */
  readonly place?: string
  /** What is configured there. */
  readonly configured?: unknown
  /** What it saw of the request or the token, if it read something. */
  readonly seen?: Seen
  /** The parts of an expression, or the places where a token was looked for, and what became of each. */
  readonly parts?: readonly ExplainedPart[]
  /** One sentence for people. */
  readonly text: string
}

/** A part of a check. */
export interface ExplainedPart {
  readonly text: string
  /** What became of it. */
  readonly outcome: string
  /** Where it begins in the configured text, in characters. */
  readonly start?: number
  /** How deep it is nested. */
  readonly depth?: number
  /** What it gave or has seen. */
  readonly seen?: Seen
}

/** What a check saw of the request or the token. */
export interface Seen {
  readonly type: 'string' | 'number' | 'boolean' | 'list' | 'object' | 'null' | 'absent'
  /** The number of elements of a list, or of members of an object. */
  readonly count?: number
  /** The length of a text, in bytes. */
  readonly length?: number
  /** The time minus the time of the decision, in seconds. */
  readonly seconds?: number
  /** The time of the decision, in seconds since 1970. */
  readonly now?: number
  /** The value, with `showValues`. */
  readonly value?: unknown
}

/** Options of a verifier in addition to its configuration. */
export interface VerifierOptions {
  /**
   * Replaces the built-in client, for example `(request) => fetch(request.url, { ...request, redirect: 'manual' })`.
   *
   * If it throws, the fetch failed. Only the name and the `code` of the error appear in the `detail`; of a
   * {@link FetchError}, the phase and the reason. Settings of the built-in client (certificates, proxies, redirects, a
   * bearer token) have no effect here.
   */
  readonly fetch?: ((request: FetchRequest) => Promise<FetchResponse> | FetchResponse) | undefined
  /**
   * Gets an event for each decision and for each fetch of keys, in their order, before the call has its result. What it
   * throws changes no decision and becomes a warning of the process.
   */
  readonly onEvent?: ((event: VerifierEvent) => void) | undefined
}

/** Something that an operator may want to know. It contains neither a token nor the value of a claim, so it may be logged. */
export type VerifierEvent = DecisionEvent | FetchEvent

/** How important an event is. */
export type EventLevel = 'debug' | 'info' | 'warning' | 'error'

/** A decision. */
export interface DecisionEvent {
  readonly event: 'decision'
  /** `debug` for a grant, `warning` for a denial, `error` for a request without a decision. */
  readonly level: EventLevel
  /** `granted`, or the class of the failure. */
  readonly outcome: 'granted' | 'denied' | 'unavailable'
  /** Why the request is not granted, and the stage of the failure. */
  readonly code?: DecisionCode
  readonly stage?: DecisionStage
  /** The profile that decided, if it is known and has a name. */
  readonly profile?: string
  /** The name of the key that verified the token, in its key set: at most 200 characters of it. */
  readonly kid?: string
  /** The place of the key's source in the configuration. Absent if no key has verified the token, or the grant was remembered. */
  readonly source?: string
  /** Whether the grant was remembered by the token cache. */
  readonly from_cache: boolean
  /** Whether the decision was explained. */
  readonly explained: boolean
  /** The time from the request to the decision, with the fetches that the decision waited for. */
  readonly duration_ns: number
}

/** A fetch of the keys of one source. */
export interface FetchEvent {
  readonly event: 'fetch'
  /** `info` for fetched keys, `warning` for a failure. */
  readonly level: EventLevel
  readonly outcome: 'fetched' | 'failed'
  /** The place of the source in the configuration. */
  readonly source: string
  /** The number of usable keys. */
  readonly keys?: number
  /** The code that requests get if there are no other keys. */
  readonly code?: DecisionCode
  readonly phase?: FetchPhase
  /** The HTTP status, if the server sent one. */
  readonly status?: number
  readonly duration_ns: number
}

/** The result of {@link Verifier.counters}. Every count only grows. */
export interface Counters {
  readonly granted: number
  /** The number of denials by code. A code that never occurred is absent. */
  readonly denied: { readonly [code in DecisionCode]?: number }
  /** The number of requests without a decision, by code. */
  readonly unavailable: { readonly [code in DecisionCode]?: number }
  /** The number of grants that the token cache remembered. They are also part of `granted`. */
  readonly token_cache_hits: number
  /** The sources that fetch their keys. */
  readonly sources: readonly { readonly source: string; readonly fetches: number; readonly failures: number }[]
}

/** The argument of a `fetch` function. It can be passed as the second argument of the global `fetch`. */
export interface FetchRequest {
  readonly url: string
  readonly headers: { readonly [name: string]: string }
  /** Deadline for the response, in milliseconds. */
  readonly timeoutMs: number
  /** A larger body is refused. */
  readonly maxBytes: number
  /** Aborts at the deadline. */
  readonly signal: AbortSignal
}

/** The result of a `fetch` function. The `Response` of the global `fetch` can be returned unchanged. */
export interface FetchResponse {
  readonly status: number
  /** `Cache-Control`, `Expires`, `ETag` and `Last-Modified` are used. */
  readonly headers?: Iterable<readonly [string, string]> | { readonly [name: string]: string | readonly string[] | undefined } | null
  readonly body?: string | Uint8Array | AsyncIterable<Uint8Array | string> | null
}

/** A `fetch` function throws this to report the phase in which the fetch failed, and the reason. */
export declare class FetchError extends Error {
  /** @param reason becomes part of the `detail` of errors, so it must not contain secrets */
  constructor(phase: FetchPhase, reason: string, options?: ErrorOptions)
  readonly phase: FetchPhase
  readonly reason: string
}

/** The phases of a fetch, in their order. */
export type FetchPhase = 'dns' | 'connect' | 'tls' | 'http' | 'parse'

/** A configuration's envelope. The README describes `config` for each dialect. */
export interface Config {
  readonly dialect: Dialect
  readonly config: object
  readonly options?: {
    /** The base of relative paths; default: the working directory. */
    readonly base_dir?: string
    readonly max_token_bytes?: number
    /** A fixed time in seconds since 1970, for tests. */
    readonly now?: number
    /** Remembers grants; default: no. */
    readonly token_cache?: {
      /** The most memory for remembered grants. */
      readonly max_bytes: number
      /** How long a grant is remembered, such as `5m`. */
      readonly max_ttl: string
    }
  }
}

/** A setting that is allowed but is probably a mistake. */
export interface Warning {
  /** The name of the rule that found it, such as `audience-unexpected`. */
  readonly rule: string
  /** The place in the configuration. */
  readonly key: string
  /** What is probably wrong, and what to do about it. */
  readonly message: string
}

/** The result of {@link Verifier.policy}. */
export interface Policy {
  readonly dialect: 'native'
  readonly config: { readonly [member: string]: unknown }
  /** Probable mistakes in the configuration. */
  readonly warnings: readonly Warning[]
  /** The status of each key source. */
  readonly key_status: readonly SourceStatus[]
  /** The state of the token cache, if there is one. */
  readonly token_cache?: TokenCacheStatus
}

/** The state of a token cache. */
export interface TokenCacheStatus {
  /** The number of requests that got a remembered grant. */
  readonly hits: number
  /** The number of requests that were decided without the cache. */
  readonly misses: number
  /** The number of remembered grants. */
  readonly entries: number
  /** Their approximate memory. */
  readonly bytes: number
}

/** The current status of a key source. Times are in whole seconds. */
export type SourceStatus = FixedSource | FetchedSource

/** A key that cannot be used. */
export interface SkippedKey {
  /** The position in the key set, from 0. */
  readonly index: number
  /** Its name, if it has one: at most 200 characters of it. */
  readonly kid?: string
  readonly reason: string
}

/** Keys from the configuration or from a file. */
export interface FixedSource {
  /** The place in the configuration: `keys[0].jwks_file`, in Grafana's `auth.jwt.jwk_set_file`. */
  readonly source: string
  readonly state: 'fixed'
  /** The number of usable keys. */
  readonly keys: number
  /** The `kid`s of the keys that have one. */
  readonly kids: readonly string[]
  /** The first 16 keys that cannot be used. Absent if there are none. */
  readonly skipped?: readonly SkippedKey[]
  /** The number of keys that cannot be used. Absent if there are none. */
  readonly skipped_count?: number
}

/** Keys that are fetched. */
export interface FetchedSource {
  /** The place in the configuration: `keys[0].jwks_url`, in Grafana's `auth.jwt.jwk_set_url`. */
  readonly source: string
  readonly state: 'unfetched' | 'fresh' | 'stale' | 'expired'
  /** The number of usable keys. */
  readonly keys: number
  /** The `kid`s of the keys that have one. */
  readonly kids: readonly string[]
  /** The first 16 keys that cannot be used. Absent if there are none. */
  readonly skipped?: readonly SkippedKey[]
  /** The number of keys that cannot be used. Absent if there are none. */
  readonly skipped_count?: number
  /** The URL of the key set or of the issuer, without the query. */
  readonly url: string
  /** The URL of the key set in the issuer's metadata. */
  readonly jwks_uri?: string
  /** The time since the server last sent or confirmed the keys. */
  readonly age?: number
  /** The time until a request causes the next refresh; zero: the next request does. */
  readonly next_refresh: number
  /** Whether the last fetch failed. */
  readonly failing: boolean
  /** The last failure, also if a later fetch succeeded. */
  readonly last_failure?: {
    readonly phase: FetchPhase
    readonly status?: number
    readonly reason: string
    readonly bytes_read: number
    readonly age: number
  }
  readonly fetches: number
  readonly failures: number
  /** The number of requests that were decided with stale keys. */
  readonly served_stale: number
  /** The number of requests with a `kid` that the source does not have. */
  readonly unknown_kid: number
  /** Present if there are warnings about fetched keys that are used. `key` is a place in the key set. */
  readonly warnings?: readonly Warning[]
}

/**
 * A request to decide. Never forward a client's JSON as a request: `profile` and `remoteAddr` are trusted.
 * A member that is undefined counts as absent; an unknown member is refused.
 */
export interface AuthRequest {
  /** The token itself. */
  readonly token?: string | undefined
  /**
   * The headers, if the configuration reads tokens from headers. `IncomingMessage.headers` and the `headers` of a web
   * `Request` can be passed unchanged.
   */
  readonly headers?: RequestHeaders | Iterable<readonly [string, string | readonly string[]]> | undefined
  /** The URL, if the configuration reads tokens from the query. `IncomingMessage.url` can be passed unchanged. */
  readonly url?: string | undefined
  /** The profile to decide under (Vault: the role). */
  readonly profile?: string | undefined
  /**
   * The caller's address, for bound networks. `socket.remoteAddress` can be passed unchanged, also if it is undefined. Where
   * networks are bound, a text that is not an address is denied. Behind a proxy, pass the client's address: the library does
   * not read `X-Forwarded-For`.
   */
  readonly remoteAddr?: string | undefined
  /**
   * Decide with the cached keys, without a fetch. If there are none, the request fails with `key_source_unavailable`.
   */
  readonly cachedOnly?: boolean | undefined
}

/** Header names with their values, as Node's http and http2 modules provide them. */
export interface RequestHeaders {
  readonly [name: string]: string | readonly string[] | undefined
}

/** A grant: the only successful outcome. Only a {@link Verifier} creates it. It is frozen; its parts are parsed when they are read. */
export declare class Grant<C extends object = Claims> {
  private constructor()
  /** The profile that granted the request; undefined for the configuration's top level. */
  get profile(): string | undefined
  get identity(): Identity
  /** What the caller may have. */
  get entitlements(): readonly Entitlement[]
  /** What the caller must lose, if they hold it. */
  get revocations(): readonly Entitlement[]
  get session(): Session
  /** The request's URL without the token, if the configuration reads tokens from URLs and this URL has one. */
  get cleaned_url(): string | undefined
  /** The verified claims. Numbers beyond 2^53 lose digits, as always in JavaScript; `json` has them exactly. */
  get claims(): C
  /**
   * Whether the grant has an entitlement: `grant.has('role', 'editor')`. Without `scope` it finds only entitlements that
   * are valid everywhere. One with variables (a templated policy) is never found.
   */
  has(kind: EntitlementKind, name: string, scope?: string): boolean
  /** The reply as JSON text: the same bytes in every language. */
  get json(): string
  /** The whole reply; `JSON.stringify` writes this. */
  toJSON(): GrantReply<C>
}

/** A grant in the wire format. */
export interface GrantReply<C extends object = Claims> {
  readonly outcome: 'granted'
  readonly profile?: string
  readonly identity: Identity
  readonly entitlements: readonly Entitlement[]
  readonly revocations: readonly Entitlement[]
  readonly session: Session
  readonly cleaned_url?: string
  readonly claims: C
}

/** The claims of a token. */
export interface Claims {
  readonly [name: string]: unknown
}

/** Who the caller is. */
export interface Identity {
  /** The caller's user name. */
  readonly name?: string
  /** The token's `sub`. */
  readonly subject?: string
  readonly email?: string
  readonly display_name?: string
  /** The organisation that the request selects (Grafana). */
  readonly requested_org?: number
  readonly groups: readonly string[]
  readonly metadata: { readonly [name: string]: string }
  readonly lists: { readonly [name: string]: readonly string[] }
}

/** One thing a caller may have. */
export interface Entitlement {
  readonly kind: EntitlementKind
  /** Where it applies: an organisation's id, a datacenter. */
  readonly scope?: string
  readonly name: string
  /** The variables of a templated policy. */
  readonly variables?: { readonly [name: string]: string }
}

/** The terms of a session; a member is present if the configuration sets it. Times are in seconds. */
export interface Session {
  /** Absent: it does not expire. */
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

/** Every outcome except a grant. `class` tells a caller what to do. */
export declare class JwtAuthError extends Error {
  constructor(failure: Failure)
  /** The stable name of the failure; never renamed. */
  readonly code: Code
  /** What a caller should do about the failure. */
  readonly class: Class
  /** The stage in which it happened. */
  readonly stage: Stage
  /** The name of the claim that it concerns. */
  readonly claim?: string
  /** Details: the place in the configuration, the file or URL, the text of the operating system. */
  readonly detail?: string
  /** Only on denials. False: the configured system would ask its next authenticator. It is still a denial. */
  readonly applicable?: boolean
  /** The HTTP status with which the configured system would respond. */
  readonly http_status?: number
  /** Only from {@link Verifier.refreshKeys}: the status of each key source. */
  readonly sources?: readonly SourceStatus[]
}

/** A failure in the wire format. */
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

/** The stable name of a failure: of a decision, or of a session. */
export type Code = DecisionCode | SessionCode

/** Where a failure happened: in a stage of a decision, or in a session. */
export type Stage = DecisionStage | 'session'

/** The library's version. */
export declare const version: string

// Generated from the core's tables; `make generate` writes this part.
// <generated>
/** The stable name of a failure of a decision. */
export type DecisionCode =
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

/** Where a decision failed. */
export type DecisionStage =
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
