// Compiled, never run: uses from an ES module that must compile, and uses that must not compile.
import type { IncomingMessage } from 'node:http'
import type { Http2ServerRequest } from 'node:http2'
import { FetchError, Grant, JwtAuthError, Login, SessionInfo, Sessions, Verifier, version } from 'jwtauth'
import type { AuthRequest, Code, Counters, Entitlement, ExplainedStep, Explanation, Failure, FetchRequest, FetchResponse, LoginRequest, Outcome, SessionsConfig, SourceStatus, VerifierEvent } from 'jwtauth'

interface Plan {
  readonly plan: 'free' | 'pro'
}

const verifier = new Verifier({ dialect: 'native', config: { algorithms: ['RS256'] }, options: { now: 1 } })
new Verifier('{}')
new Verifier(verifier.policy())

export async function handle(request: IncomingMessage, other: Http2ServerRequest): Promise<string> {
  const grant: Grant = await verifier.authenticate({
    headers: request.headers,
    url: request.url,
    remoteAddr: request.socket.remoteAddress,
  })
  await verifier.authenticate({ headers: other.headers, url: other.url })
  await verifier.authenticate({ token: 'x', cachedOnly: true })
  const alone: Grant = await verifier.authenticate('x')
  const text: Grant = verifier.authenticateJsonSync('{}')
  const later: Promise<Grant> = verifier.authenticateJson(text.json)
  await verifier.authenticate({ headers: new Request('http://x').headers })
  await verifier.authenticate({ headers: new Map([['authorization', 'x']]) })
  const outcomes: Outcome[] = await verifier.authenticateMany(new Set(['x']), { profile: 'web', threads: 2 })
  for (const one of outcomes) {
    const audited: string | undefined = one.status === 'fulfilled' ? one.value.identity.name : one.reason.code
    // @ts-expect-error: it may be a failure
    void `${audited} ${one.value}`
  }
  const typed: Grant<Plan> = await new Verifier<Plan>('{}').authenticate({ token: 'x' })
  const plan: 'free' | 'pro' = typed.claims.plan
  const editor: boolean = typed.has('role', 'editor') && typed.has('org_role', plan, '1')
  const roles: readonly Entitlement[] = grant.entitlements.filter(({ kind }) => kind === 'role')
  const claim: unknown = grant.claims['plan']
  const name: string | undefined = grant.identity.name
  const outcome: 'granted' = grant.toJSON().outcome
  return `${version} ${outcome} ${name} ${roles.length} ${typeof claim} ${editor} ${grant.session.ttl ?? 'for ever'}`
}

/** The `fetch` functions that applications may use. */
export const clients: readonly Verifier[] = [
  new Verifier('{}', {}),
  new Verifier('{}', { fetch: (request) => fetch(request.url, { ...request, redirect: 'manual' }) }),
  new Verifier('{}', { fetch: () => ({ status: 200, headers: { etag: '"1"', vary: ['a', 'b'] }, body: '{"keys":[]}' }) }),
  new Verifier('{}', { fetch: async () => ({ status: 304 }) }),
  new Verifier('{}', {
    async fetch({ url, headers, timeoutMs, maxBytes, signal }: FetchRequest): Promise<FetchResponse> {
      if (signal.aborted || timeoutMs < 1 || maxBytes < 1) throw new FetchError('connect', `too late for ${url}`)
      return { status: 200, headers: new Map(Object.entries(headers)), body: new TextEncoder().encode('{}') }
    },
  }),
]

export async function explained(): Promise<string> {
  const explanation: Explanation = await verifier.explain({ token: 'x' }, { showValues: true })
  const { decision }: { decision: Outcome } = verifier.explainSync('x')
  const failed: ExplainedStep | undefined = explanation.steps.find(({ outcome }) => outcome === 'failed')
  const later: Promise<Explanation> = verifier.explainJson(explanation.json)
  const again: Explanation = verifier.explainJsonSync('{}', {})
  const reason = decision.status === 'rejected' ? decision.reason.code : decision.value.profile
  return `${reason} ${failed?.text} ${failed?.seen?.length} ${(await later).hints.length} ${again.toJSON().decision.outcome}`
}

/** Events, and what a function sees of them. */
export const observed: Verifier = new Verifier('{}', {
  onEvent(event: VerifierEvent) {
    if (event.event === 'fetch') return void console.log(event.keys ?? event.phase, event.duration_ns)
    const code: Code | undefined = event.code
    console.log(event.outcome, code, event.profile)
  },
})
export const counts: Counters = observed.counters()
export const expired: number = counts.denied.token_expired ?? counts.sources[0]?.failures ?? counts.granted
// @ts-expect-error: no such code
export const none: number | undefined = counts.denied.nonsense

export async function keys(): Promise<string> {
  try {
    const sources: readonly SourceStatus[] = await verifier.refreshKeys()
    return sources.map((source) => (source.state === 'fixed' ? source.source : `${source.url} ${source.age ?? 'never'}`)).join()
  } catch (error) {
    if (!(error instanceof JwtAuthError)) throw error
    const failing = error.sources?.find((source) => source.state !== 'fixed' && source.failing)
    return `${failing?.source} ${verifier.policy().key_status.length}`
  }
}

export function explain(error: unknown): Code | undefined {
  if (!(error instanceof JwtAuthError)) return undefined
  const status: number | undefined = error.http_status
  switch (error.class) {
    case 'denied':
      if (error.code === 'session_unknown' && error.stage === 'session') return error.code
      return status === 401 && error.applicable && error.stage === 'decode' ? error.code : undefined
    case 'config':
    case 'unavailable':
    case 'argument':
    case 'internal':
      return undefined
    default:
      return error.class satisfies never
  }
}

const failure: Failure = { class: 'denied', code: 'token_expired', stage: 'validate_claims', message: 'expired' }
export const made: Error = new JwtAuthError(failure)
export const request: AuthRequest = { token: undefined, profile: 'web', remoteAddr: '10.1.2.3' }

const sessionsConfig: SessionsConfig = {
  dialect: 'native',
  config: {},
  sessions: {
    store: { sqlite: { path: 'sessions.db', timeout: '1s' } },
    max_ttl: '24h',
    batch_keys: [{ id: '1', key_file: 'batch.key' }],
  },
}

export async function sessions(incoming: IncomingMessage): Promise<string> {
  const made = new Sessions(sessionsConfig, { fetch: (request) => fetch(request.url), onEvent: () => {} })
  Sessions.fromFile(new URL('sessions.json', import.meta.url))
  const request: LoginRequest = { headers: incoming.headers, profile: 'web', meta: { pod: 'a' } }
  const login: Login = await made.login(request)
  const alone: Login = made.loginSync('x')
  const session: SessionInfo = await made.authorize(login.token, incoming.socket.remoteAddress)
  const again: SessionInfo = made.lookupAccessorSync(login.accessor ?? '')
  const renewed: Login = await made.renew(alone.token, 3600)
  const nothing: void = await made.revoke(renewed.token)
  const count: number = (await made.revokeAll({ subject: session.subject })) + made.revokeAllSync({ profile: '' }) + (await made.sweep())
  const next: Sessions = await made.reload(sessionsConfig)
  const text: string = await next.callJson('lookup', '{"token":"x"}')
  const keys: readonly SourceStatus[] = next.verifier.policy().key_status
  const name: string | undefined = session.identity.name ?? again.toJSON().display_name
  const answer: unknown = login.response['auth']
  return `${nothing} ${count} ${text} ${keys.length} ${name} ${session.has('role', 'editor')} ${session.ttl ?? 'for ever'} ${typeof answer}`
}

declare const unmade: Sessions
// @ts-expect-error: the promise of a session is not a session
export const early: SessionInfo = unmade.authorize('x')
// @ts-expect-error: only sessions create a login
new Login()
// @ts-expect-error: a group is a profile or a subject
void unmade.revokeAll({ profile: 'web', subject: 'alice' })
// @ts-expect-error: texts only
void unmade.login({ token: 'x', meta: { pod: 1 } })
// @ts-expect-error: a verifier makes no sessions
new Verifier({ dialect: 'native', config: {}, sessions: {} })
// @ts-expect-error: no such verb
void unmade.callJson('logout', '{}')

declare const grant: Grant
// @ts-expect-error: no such kind
grant.has('rolle', 'editor')
// @ts-expect-error: only a verifier creates a grant
new Grant()
// @ts-expect-error: a grant cannot be changed
grant.entitlements.push({ kind: 'role', name: 'admin' })
// @ts-expect-error: nor its parts
grant.identity.name = 'root'
// @ts-expect-error: unknown member
void verifier.authenticate({ tokn: 'x' })
// @ts-expect-error: arguments are in camelCase
void verifier.authenticate({ remote_addr: 'x' })
// @ts-expect-error: a request as JSON is text
void verifier.authenticateJson({ token: 'x' })
// @ts-expect-error: a token is text
void verifier.authenticate({ token: 1 })
// @ts-expect-error: so is each token of a batch
void verifier.authenticateMany([{ token: 'x' }])
// @ts-expect-error: no such option
void verifier.authenticateMany([], { headers: {} })
// @ts-expect-error: no such option
void verifier.explain('x', { show_values: true })
// @ts-expect-error: an explanation is not a grant
void verifier.explainSync('x').identity
// @ts-expect-error: no such phase
new FetchError('dial', 'x')
// @ts-expect-error: a response has a status
new Verifier('{}', { fetch: async () => ({ body: '{}' }) })
// @ts-expect-error: unknown option
new Verifier('{}', { fecth: fetch })
// @ts-expect-error: a fixed source was never fetched
verifier.policy().key_status[0]?.url
// @ts-expect-error: no such dialect
new Verifier({ dialect: 'nomad', config: {} })
// @ts-expect-error: no such code
export const unknown: Code = 'nonsense'
