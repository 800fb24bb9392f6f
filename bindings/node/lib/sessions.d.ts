// The types of sessions; index.d.ts exports them. docs/sessions.md describes sessions.

import type {
  AuthRequest, Config, Entitlement, EntitlementKind, Identity, JwtAuthError, Verifier, VerifierOptions,
} from '../index.js'

/**
 * Issues sessions for the tokens that a verifier grants: a login becomes a token that later requests carry, until it ends or
 * is revoked.
 *
 * The promises wait for the store on threads of the library, so they block neither the event loop nor Node's thread pool. In
 * memory, most verbs have nothing to wait for; only `login`, `revokeAll`, `sweep` and `reload` then use a thread. If 10,000 calls
 * wait for a thread, others are `unavailable` at once.
 * The forms with `Sync` block the event loop until the store has answered.
 *
 * All of them fail with {@link JwtAuthError}, and with a `TypeError` for a value of the wrong type. The class `denied` is
 * the only negative answer about a session. With `unavailable` the store could not be asked; no token was given out.
 */
export declare class Sessions {
  /**
   * Builds the sessions. Opens no connection: the store is first used when a session needs it.
   *
   * @param config the configuration of a {@link Verifier}, which may have a member `sessions`, or JSON text
   * @throws {JwtAuthError} of class `config`
   * @throws {TypeError} `ERR_INVALID_ARG_TYPE`, also for a member that is undefined or has no JSON form
   */
  constructor(config: SessionsConfig | string, options?: VerifierOptions)

  /**
   * Builds the sessions from a file with a configuration as JSON. Relative paths in it start in the folder of the file, unless it
   * sets a `base_dir`.
   *
   * @throws {JwtAuthError} of class `config`, also for a file that cannot be read; `detail` names the file
   * @throws {TypeError} `ERR_INVALID_ARG_TYPE`
   */
  static fromFile(path: string | URL, options?: VerifierOptions): Sessions

  /** The verifier that decides logins, for its policy, its counters and the state of its keys. */
  get verifier(): Verifier

  /**
   * Decides a login, and makes a session for what it grants.
   *
   * @param request as for {@link Verifier.authenticate}; it may also have `meta`
   */
  login(request: LoginRequest | string): Promise<Login>
  /**
   * Decides a login on the calling thread, as {@link Verifier.authenticateSync} does: with a `fetch` function it uses only the
   * cached keys.
   */
  loginSync(request: LoginRequest | string): Login

  /**
   * Checks the token of a later request: the end of the session, its networks, and its uses, of which one is counted off.
   * **Always `await` it**: a promise is truthy even when the token is refused.
   *
   * @param remoteAddr the caller's address, for sessions that are bound to networks
   */
  authorize(token: string, remoteAddr?: string | undefined): Promise<SessionInfo>
  authorizeSync(token: string, remoteAddr?: string | undefined): SessionInfo

  /**
   * Returns the session of a token. Counts no use, and checks no networks: use {@link Sessions.authorize} to let a request in. So
   * what {@link SessionInfo.has} says of this session applies also to a caller outside of the session's networks.
   */
  lookup(token: string): Promise<SessionInfo>
  lookupSync(token: string): SessionInfo

  /** Returns the session with this accessor, as {@link Sessions.lookup} does. An accessor cannot be used in place of the token. */
  lookupAccessor(accessor: string): Promise<SessionInfo>
  lookupAccessorSync(accessor: string): SessionInfo

  /**
   * Makes a session last longer.
   *
   * @param increment the wish for the new lease in seconds; zero leaves it to the profile
   */
  renew(token: string, increment?: number | undefined): Promise<Login>
  renewSync(token: string, increment?: number | undefined): Login

  /** Ends a session: a logout. Every later use of its token is denied, in all processes with the same store. */
  revoke(token: string): Promise<void>
  revokeSync(token: string): void

  /** Ends the session with this accessor. */
  revokeAccessor(accessor: string): Promise<void>
  revokeAccessorSync(accessor: string): void

  /** Ends all sessions of a group that exist now, and returns their number. It does not reach batch tokens. */
  revokeAll(group: SessionGroup): Promise<number>
  revokeAllSync(group: SessionGroup): number

  /** Removes the entries of sessions that have ended, and returns their number; zero if the store does this on its own. */
  sweep(): Promise<number>
  sweepSync(): number

  /**
   * Builds sessions from a changed configuration, with the same store and the same options. The old ones can still be used.
   * Keys that were fetched are fetched again. Relative paths start where those of the old configuration start: in the folder of
   * its file, after `fromFile`.
   *
   * @throws {JwtAuthError} of class `config`; `sessions_invalid` if `sessions.store` or the dialect has changed
   */
  reload(config: SessionsConfig | string): Promise<Sessions>
  reloadSync(config: SessionsConfig | string): Sessions

  /**
   * Does a verb whose request is JSON text, and returns the reply as JSON text. A failure is a reply with the `outcome`
   * `failed`; it is not thrown.
   *
   * Never forward a client's body: `profile` and `remote_addr` in it are trusted.
   */
  callJson(verb: SessionVerb, request: string): Promise<string>
  callJsonSync(verb: SessionVerb, request: string): string
}

/** The verbs of {@link Sessions.callJson}. */
export type SessionVerb =
  | 'login'
  | 'lookup'
  | 'lookup_accessor'
  | 'renew'
  | 'revoke'
  | 'revoke_accessor'
  | 'revoke_all'
  | 'authorize'
  | 'sweep'

/** A login: a request to decide, with texts that are kept with the session. */
export interface LoginRequest extends AuthRequest {
  /** Texts by name (Consul's `Meta`). */
  readonly meta?: { readonly [name: string]: string } | undefined
}

/** The sessions that {@link Sessions.revokeAll} ends. */
export type SessionGroup =
  /** Those of logins under this profile; an empty name is the top level. In Consul's dialect, the name of the auth method. */
  | { readonly profile: string; readonly subject?: undefined }
  /** Those of this subject. */
  | { readonly subject: string; readonly profile?: undefined }

/**
 * A new or renewed session, with its token. Only {@link Sessions} create it. `console.log` and `JSON.stringify` show neither the
 * token nor the accessor.
 */
export declare class Login {
  private constructor()
  /** The token of the session, for the caller. It is not stored anywhere else. */
  get token(): string
  /** The accessor, which can look the session up and end it. Undefined for a batch token. */
  get accessor(): string | undefined
  get session(): SessionInfo
  /** What the configured system answers to the caller, with the token: send it as JSON. */
  get response(): { readonly [member: string]: unknown }
  /** The reply as JSON text, with the token: the same bytes in every language. */
  get json(): string
}

/**
 * A session that had not ended when it was looked up. Only {@link Sessions} create it. It is frozen, and contains neither the token
 * nor the accessor. Times are in seconds.
 */
export declare class SessionInfo {
  private constructor()
  get type(): 'service' | 'batch'
  /** The profile of the login; undefined for the configuration's top level. */
  get profile(): string | undefined
  /** Who the session belongs to: the name of the identity, or the token's `sub`. */
  get subject(): string
  get display_name(): string | undefined
  /** The same for all sessions of a subject, in all stores. */
  get entity_id(): string
  get identity(): Identity
  /** What the caller may have. */
  get entitlements(): readonly Entitlement[]
  /** What the caller must lose, if they hold it. */
  get revocations(): readonly Entitlement[]
  /** Since 1970. */
  get issued_at(): number
  /** Since 1970. Undefined: it does not end on its own. */
  get expires_at(): number | undefined
  /** The time that is left, rounded up. */
  get ttl(): number | undefined
  get creation_ttl(): number | undefined
  get explicit_max_ttl(): number | undefined
  get period(): number | undefined
  get num_uses(): number | undefined
  /** Undefined: uses are not counted. */
  get uses_left(): number | undefined
  get renewable(): boolean
  get bound_cidrs(): readonly string[] | undefined
  /** Consul's description of the token. */
  get description(): string | undefined
  /** Consul's auth method. */
  get auth_method(): string | undefined
  /** Whether Consul's token is local. */
  get local(): boolean | undefined
  /**
   * Whether the session has an entitlement, as `has` of a grant. It checks neither networks (`bound_cidrs`) nor uses: only
   * {@link Sessions.authorize} does, before it returns the session.
   */
  has(kind: EntitlementKind, name: string, scope?: string): boolean
  /** The session in the wire format; `JSON.stringify` writes this. */
  toJSON(): SessionReply
}

/** A session in the wire format. A member is present if the login has set it. */
export interface SessionReply {
  readonly type: 'service' | 'batch'
  readonly profile?: string
  readonly subject: string
  readonly display_name?: string
  readonly entity_id: string
  readonly identity: Identity
  readonly entitlements: readonly Entitlement[]
  readonly revocations: readonly Entitlement[]
  readonly issued_at: number
  readonly expires_at?: number
  readonly ttl?: number
  readonly creation_ttl?: number
  readonly explicit_max_ttl?: number
  readonly period?: number
  readonly num_uses?: number
  readonly uses_left?: number
  readonly renewable: boolean
  readonly bound_cidrs?: readonly string[]
  readonly description?: string
  readonly auth_method?: string
  readonly local?: boolean
}

/** The configuration of {@link Sessions}. */
export interface SessionsConfig extends Config {
  readonly sessions?: {
    /** Where sessions are kept; default: in the memory of this process. */
    readonly store?: MemoryStore | SqliteStore | RedisStore
    /** The lease of sessions for which the policy sets none, such as `1h`. */
    readonly default_ttl?: string
    /** A limit for all sessions. */
    readonly max_ttl?: string
    /** Whether a session ends with the token of its login. */
    readonly end_with_token?: boolean
    /** The keys of batch tokens: the first encrypts, all decrypt. */
    readonly batch_keys?: readonly ({ readonly id: string } & ({ readonly key: string } | { readonly key_file: string }))[]
    /** Predictable tokens, for tests: only with `options.now` and the memory. */
    readonly seed?: number
  }
}

/** Sessions in the memory of this process. */
export interface MemoryStore {
  readonly memory: { readonly max_sessions?: number; readonly max_bytes?: number }
}

/** Sessions in a file, for the processes of one machine. */
export interface SqliteStore {
  readonly sqlite: { readonly path: string; readonly timeout?: string }
}

/** Sessions in a Redis server, for several machines. The settings are those of docs/sessions.md. */
export interface RedisStore {
  readonly redis: { readonly [setting: string]: unknown }
}

// Generated from the table of sessions; `make generate` writes this part.
// <generated>
/** The stable name of a failure of a session. */
export type SessionCode =
  | 'session_unknown'
  | 'session_address_not_allowed'
  | 'session_not_renewable'
  | 'session_past_max_ttl'
  | 'session_profile_unknown'
  | 'batch_token_limited'
  | 'sessions_invalid'
  | 'sessions_unsupported'
  | 'batch_key_missing'
  | 'store_version'
  | 'store_unavailable'
  | 'store_refused'
  | 'store_full'
  | 'session_request_invalid'
  | 'session_entry_invalid'
  | 'session_internal_error'
// </generated>
