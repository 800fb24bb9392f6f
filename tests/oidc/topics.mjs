// Gets real tokens from a real provider, and writes the expected outcomes for every language as conformance topics:
//
//     node topics.mjs DIRECTORY
//
// The provider then keeps running until the process is ended, because some configurations fetch its keys. When everything
// is written, it prints a line.
// One topic has a native configuration, and one has the configuration of each system; `flatten` writes the files for the
// runners.
import { createPublicKey } from 'node:crypto'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { ALGORITHMS, CLIENT, GROUPS, LIFETIME, resource, start } from './provider.mjs'

const [directory] = process.argv.slice(2)
if (directory === undefined) throw new Error('usage: node topics.mjs DIRECTORY')

const provider = await start()
const stranger = await start()
const keys = await provider.keys()
const issued = await Promise.all(
  ALGORITHMS.map(async (algorithm) => {
    const audience = resource(algorithm)
    return {
      algorithm,
      audience,
      token: await provider.token(audience),
      readOnly: await provider.token(audience, 'read'),
      foreign: await stranger.token(audience),
    }
  }),
)
const opaque = await provider.token('https://opaque.api.test')
await stranger.stop()

const parts = (token) => token.split('.')
const payload = (token) => JSON.parse(Buffer.from(parts(token)[1], 'base64url'))
const now = payload(issued[0].token).iat + 1

/** The cases for every dialect; the parameters are the members in which the dialects differ. */
function cases({ request, granted, otherKey, early, accept, scope }) {
  const all = issued.flatMap(({ algorithm, audience, token, readOnly, foreign }) => {
    const one = (name, raw, expect, rest = {}) => {
      const { config, options, mutate } = rest
      return {
        name: `${algorithm}: ${name}`,
        verifier: { config: { ...accept(audience), ...config }, options },
        token: { raw, mutate },
        request,
        expect,
      }
    }
    const later = (seconds) => ({ options: { now: now + seconds } })
    const mutated = (mutate) => ({ mutate })
    const [header, claims] = parts(token)
    const admin = JSON.stringify({ ...payload(token), groups: ['administrators'] })
    const other = issued.find((another) => another.algorithm !== algorithm)
    return [
      one('a token as the provider issued it', token, { ...granted, claims: payload(token) }),
      one('a token that has expired', token, { code: 'token_expired', claim: 'exp' }, later(LIFETIME + 3600)),
      one('a token from the future', token, early, later(-3600)),
      one('a token for another resource server', other.token, { code: 'audience_mismatch', claim: 'aud' }),
      one('a token without the required scope', readOnly, scope.expect, { config: scope.config(audience) }),
      one('a token of another provider', foreign, otherKey, {
        config: accept(audience, payload(foreign).iss),
      }),
      one('a token under another issuer', token, { code: 'issuer_mismatch', claim: 'iss' }, {
        config: accept(audience, `${payload(token).iss}/`),
      }),
      one('a forged signature', token, { code: 'signature_invalid' }, mutated('flip_signature_bit')),
      one('a truncated signature', token, { code: 'signature_invalid' }, mutated('truncate_signature')),
      one('an empty signature', token, { code: 'signature_invalid' }, mutated('strip_signature')),
      one('no signature at all', token, { code: 'token_malformed' }, mutated('drop_signature')),
      one('a signature taken from another token', `${header}.${claims}.${parts(readOnly)[2]}`, { code: 'signature_invalid' }),
      one('claims put under a real signature', token, { code: 'signature_invalid' }, mutated({ replace: ['payload', admin] })),
      one('a real signature under no algorithm', token, { code: 'algorithm_not_allowed' }, mutated({
        replace: ['header', '{"alg":"none","typ":"at+jwt"}'],
      })),
    ]
  })
  all.push({ name: 'an opaque token', token: { raw: opaque }, request, expect: { code: 'token_malformed' } })
  return all
}

const native = {
  topic: 'oidc-native',
  about: 'Real tokens of an OpenID Connect provider, under a native configuration with its published key set.',
  verifier: {
    dialect: 'native',
    config: {
      keys: [{ jwks_file: 'jwks.json' }],
      algorithms: ALGORITHMS,
      typ: ['at+jwt'],
      issuer: provider.issuer,
      identity: { name: 'client_id', groups: 'groups', metadata: { org: { pointer: '/org/id' }, plan: { jmespath: 'org.plan' } } },
      policies: ['deploy'],
      session: { ttl: '1h' },
    },
    options: { now, base_dir: '@dir' },
  },
  // In a header, as at a web server; Vault's login gets only the token.
  token: { place: { header: 'authorization', prefix: 'Bearer ' } },
  cases: cases({
    request: {},
    granted: {
      outcome: 'granted',
      identity: { name: CLIENT, subject: CLIENT, groups: GROUPS, metadata: { org: 'acme', plan: 'pro' } },
      entitlements: [{ kind: 'policy', name: 'deploy' }],
      session: { ttl: 3600 },
    },
    otherKey: { code: 'key_not_found' },
    early: { code: 'token_issued_in_future', claim: 'iat' },
    accept: (audience, issuer = provider.issuer) => ({ audiences: [audience], issuer }),
    scope: {
      config: () => ({ claims: [{ claim: 'scope', glob: ['* write'] }] }),
      expect: { code: 'claim_mismatch', claim: 'scope' },
    },
  }).map((one) => ({ ...one, files: { 'jwks.json': keys } })),
}

const pems = keys.keys.map((key) => createPublicKey({ key, format: 'jwk' }).export({ type: 'spki', format: 'pem' }))

const role = {
  role_type: 'jwt',
  user_claim: 'client_id',
  groups_claim: 'groups',
  claim_mappings: { '/org/id': 'org', '/org/plan': 'plan' },
  token_policies: ['deploy'],
  token_ttl: '1h',
}

const vault = {
  topic: 'oidc-vault',
  about: "The same tokens under a Vault configuration with the provider's keys as PEM.",
  verifier: {
    dialect: 'vault',
    config: {
      jwt_validation_pubkeys: pems,
      jwt_supported_algs: ALGORITHMS,
      bound_issuer: provider.issuer,
      roles: { machine: { ...role, bound_audiences: issued.map(({ audience }) => audience) } },
    },
    options: { now },
  },
  cases: cases({
    request: { profile: 'machine' },
    granted: {
      outcome: 'granted',
      profile: 'machine',
      identity: { name: CLIENT, groups: GROUPS, metadata: { role: 'machine', org: 'acme', plan: 'pro' } },
      entitlements: [
        { kind: 'policy', name: 'default' },
        { kind: 'policy', name: 'deploy' },
      ],
      session: { ttl: 3600 },
    },
    otherKey: { code: 'signature_invalid' },
    early: { code: 'token_not_yet_valid' },
    accept: (audience, issuer = provider.issuer) => ({
      bound_issuer: issuer,
      roles: { machine: { ...role, bound_audiences: [audience] } },
    }),
    scope: {
      config: (audience) => ({
        roles: {
          machine: { ...role, bound_audiences: [audience], bound_claims_type: 'glob', bound_claims: { scope: '* write' } },
        },
      }),
      expect: { code: 'claim_mismatch', claim: 'scope' },
    },
  }),
}

const section = (members) => ({ 'auth.jwt': members })
const dashboards = {
  identity: { name: CLIENT, subject: CLIENT, groups: GROUPS },
  entitlements: [{ kind: 'org_role', scope: '1', name: 'Editor' }],
}

const grafana = {
  topic: 'oidc-grafana',
  about: 'The same tokens under a Grafana configuration with the published key set in a file.',
  verifier: {
    dialect: 'grafana',
    config: section({
      enabled: true,
      header_name: 'X-JWT-Assertion',
      url_login: true,
      username_claim: 'client_id',
      jwk_set_file: 'jwks.json',
      groups_attribute_path: 'groups',
      role_attribute_path: "contains(groups, 'engineering') && 'Editor' || 'Viewer'",
      role_attribute_strict: true,
    }),
    options: { now, base_dir: '@dir' },
  },
  token: { place: { header: 'x-jwt-assertion' } },
  cases: [
    ...cases({
      request: {},
      granted: { outcome: 'granted', ...dashboards, session: { allow_sign_up: false, sync_teams: true } },
      otherKey: { code: 'key_not_found' },
      early: { code: 'token_issued_in_future', claim: 'iat' },
      accept: (audience, issuer = provider.issuer) => section({ expect_claims: { iss: issuer, aud: [audience] } }),
      scope: {
        config: (audience) => section({ expect_claims: { iss: provider.issuer, aud: audience, scope: 'read write' } }),
        expect: { code: 'claim_mismatch', claim: 'scope' },
      },
    }),
    ...issued.map(({ algorithm, token }) => ({
      name: `${algorithm}: a token in the URL`,
      token: { raw: token, place: { query: 'auth_token' } },
      request: { url: '/d/abc/builds?theme=light' },
      expect: { outcome: 'granted', ...dashboards, cleaned_url: '/d/abc/builds?theme=light' },
    })),
    {
      name: 'the key set as a value',
      verifier: {
        config: section({ jwk_set_file: null, jwk_set_value: Buffer.from(JSON.stringify(keys)).toString('base64') }),
      },
      token: { raw: issued[0].token },
      expect: { outcome: 'granted', ...dashboards },
    },
    {
      name: 'a role that the token does not give',
      verifier: { config: section({ role_attribute_path: 'role' }) },
      token: { raw: issued[0].token },
      expect: { code: 'role_unresolved', http_status: 403 },
    },
    {
      name: 'an opaque token is for another way to sign in',
      token: { raw: opaque },
      expect: { code: 'token_malformed', applicable: false },
    },
  ].map((one) => ({ ...one, files: { 'jwks.json': keys } })),
}

const services = [
  { Selector: `value.client == "${CLIENT}" and ${GROUPS[0]} in list.groups`, BindType: 'service', BindName: '${value.client}' },
]
const deployers = [{ Selector: 'write in value.scope', BindType: 'role', BindName: 'deploy-${value.org}' }]
const method = (Config) => ({ AuthMethod: { Config } })

const consul = {
  topic: 'oidc-consul',
  about: "The same tokens under a Consul auth method with the provider's keys as PEM, and binding rules on its claims.",
  verifier: {
    dialect: 'consul',
    config: {
      AuthMethod: {
        Name: 'machines',
        Type: 'jwt',
        MaxTokenTTL: '1h',
        Config: {
          JWTValidationPubKeys: pems,
          BoundIssuer: provider.issuer,
          ClaimMappings: { client_id: 'client', scope: 'scope', '/org/id': 'org' },
          ListClaimMappings: { groups: 'groups' },
        },
      },
      BindingRules: [...services, ...deployers],
    },
    options: { now },
  },
  cases: [
    ...cases({
      request: {},
      granted: {
        outcome: 'granted',
        identity: { metadata: { client: CLIENT, scope: 'read write', org: 'acme' }, lists: { groups: GROUPS } },
        entitlements: [
          { kind: 'role', name: 'deploy-acme' },
          { kind: 'service', name: CLIENT },
        ],
        session: { ttl: 3600, auth_method: 'machines' },
      },
      otherKey: { code: 'signature_invalid' },
      early: { code: 'token_not_yet_valid' },
      accept: (audience, issuer = provider.issuer) => method({ BoundAudiences: [audience], BoundIssuer: issuer }),
      scope: {
        config: (audience) => ({ ...method({ BoundAudiences: [audience] }), BindingRules: deployers }),
        expect: { code: 'binding_unmatched', http_status: 403 },
      },
    }),
    ...issued.map(({ algorithm, audience, readOnly }) => ({
      name: `${algorithm}: a token without the scope still is its service`,
      verifier: { config: method({ BoundAudiences: [audience] }) },
      token: { raw: readOnly },
      expect: { outcome: 'granted', entitlements: [{ kind: 'service', name: CLIENT }] },
    })),
    {
      name: 'an audience that is not bound',
      token: { raw: issued[0].token },
      expect: { code: 'audience_unexpected' },
    },
    {
      name: 'an algorithm that is not supported',
      verifier: { config: method({ BoundAudiences: [issued[0].audience], JWTSupportedAlgs: ['ES256'] }) },
      token: { raw: issued.find(({ algorithm }) => algorithm === 'RS256').token },
      expect: { code: 'algorithm_not_allowed' },
    },
  ],
}

// These decisions with keys that are fetched from the running provider.
const jwksUrl = `${provider.issuer}/jwks`
const fetched = (topic, sources) =>
  sources.flatMap(([name, source]) =>
    topic.cases
      .filter((one) => one.expect.claims !== undefined)
      .map((one) => ({
        ...one,
        name: `${one.name}, with keys from ${name}`,
        files: undefined,
        verifier: { ...one.verifier, config: merged(one.verifier.config, source) },
      })),
  )

/** The combination of two JSON merge patches. */
function merged(below, above) {
  if (below === undefined || above === null || typeof above !== 'object' || Array.isArray(above)) return above
  const names = new Set([...Object.keys(below), ...Object.keys(above)])
  return Object.fromEntries([...names].map((name) => [name, name in above ? merged(below[name], above[name]) : below[name]]))
}

native.cases.push(
  ...fetched(native, [
    ['a key set URL', { keys: [{ jwks_url: jwksUrl }] }],
    ['a discovered issuer', { keys: [{ oidc_discovery_url: provider.issuer }], issuer: null }],
  ]),
)
vault.cases.push(
  ...fetched(vault, [
    ['a key set URL', { jwt_validation_pubkeys: null, jwks_url: jwksUrl }],
    ['a discovered issuer', { jwt_validation_pubkeys: null, oidc_discovery_url: provider.issuer }],
    ['pairs', { jwt_validation_pubkeys: null, bound_issuer: null, jwks_pairs: [{ jwks_url: jwksUrl }] }],
  ]),
)
grafana.cases.push(
  ...fetched(grafana, [['a key set URL', { app_mode: 'development', ...section({ jwk_set_file: null, jwk_set_url: jwksUrl }) }]]),
)
consul.cases.push(
  ...fetched(consul, [
    ['a key set URL', method({ JWTValidationPubKeys: null, JWKSURL: jwksUrl })],
    ['a discovered issuer', method({ JWTValidationPubKeys: null, BoundIssuer: null, OIDCDiscoveryURL: provider.issuer })],
    [
      'a method of type oidc',
      merged(
        { AuthMethod: { Type: 'oidc' } },
        method({ JWTValidationPubKeys: null, BoundIssuer: null, OIDCDiscoveryURL: provider.issuer }),
      ),
    ],
  ]),
)

const topics = [native, vault, grafana, consul]
rmSync(directory, { recursive: true, force: true })
mkdirSync(directory, { recursive: true })
for (const topic of topics) {
  writeFileSync(join(directory, `${topic.topic}.json`), JSON.stringify(topic, null, 2))
}
const count = topics.reduce((sum, topic) => sum + topic.cases.length, 0)
console.log(`${count} cases about ${4 * ALGORITHMS.length + 1} real tokens of ${provider.issuer}`)
