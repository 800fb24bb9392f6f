//! Configurations with one mistake each.

/// Whole configurations and their error texts. `%K` is replaced by a key.
pub(super) const WHOLE: &[(&str, &str)] = &[
    (r#"{}"#, "key_source_missing: `keys` is missing"),
    (r#"[]"#, "config_invalid: `config`: must be an object, not a list"),
    (r#"{"keys":[]}"#, "key_source_missing: `keys`: must not be empty"),
    (
        r#"{"key":[]}"#,
        "key_source_missing: `keys` is missing; did you misspell it as `key`?",
    ),
    (r#"{%K}"#, "config_invalid: `algorithms` is missing"),
    (
        r#"{%K,"algorithms":[]}"#,
        "config_invalid: `algorithms`: must not be empty",
    ),
    (
        r#"{%K,"algorithm":["EdDSA"]}"#,
        "config_invalid: `algorithms` is missing; did you misspell it as `algorithm`?",
    ),
    (
        r#"{%K,"algorithms":["eddsa"]}"#,
        "algorithm_unsupported: `algorithms[0]`: `eddsa` is not one of RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512, EdDSA, Ed25519, HS256, HS384, HS512; did you mean `EdDSA`?",
    ),
    (
        r#"{%K,"algorithms":["none"]}"#,
        "algorithm_unsupported: `algorithms[0]`: `none` is not allowed: it would accept unsigned tokens",
    ),
    (
        r#"{%K,"algorithms":"EdDSA"}"#,
        "config_invalid: `algorithms`: must be a list, not a string",
    ),
    (
        r#"{%K,"algorithms":["NONE"]}"#,
        "algorithm_unsupported: `algorithms[0]`: `none` is not allowed: it would accept unsigned tokens",
    ),
    (
        r#"{%K,"algorithms":[256]}"#,
        "config_invalid: `algorithms[0]`: must be a string, not a number",
    ),
    (
        r#"{"keys":{},"algorithms":["EdDSA"]}"#,
        "config_invalid: `keys`: must be a list, not an object",
    ),
    (
        r#"{"keys":[{}],"algorithms":["EdDSA"]}"#,
        "key_source_missing: `keys[0]`: must have one of pem, pem_file, jwk, jwks, jwks_file, secret, secret_file, jwks_url, oidc_discovery_url",
    ),
    (
        r#"{"keys":["x"],"algorithms":["EdDSA"]}"#,
        "config_invalid: `keys[0]`: must be an object, not a string",
    ),
    (
        r#"{"keys":[{"pemfile":"x"}],"algorithms":["EdDSA"]}"#,
        "config_invalid: `keys[0].pemfile` is not known; did you mean `pem_file`?",
    ),
    (
        r#"{"keys":[{"pem":"x","secret":"y"}],"algorithms":["EdDSA"]}"#,
        "key_source_conflict: `keys[0]`: has both `pem` and `secret`; make each a separate item of `keys`",
    ),
    (
        r#"{"keys":[{"pem":""}],"algorithms":["EdDSA"]}"#,
        "config_invalid: `keys[0].pem`: must not be empty",
    ),
    (
        r#"{"keys":[{"pem":"x"}],"algorithms":["EdDSA"]}"#,
        "key_invalid: `keys[0].pem`: no PEM block found",
    ),
    (
        r#"{"keys":[{"secret":"not base64!"}],"algorithms":["HS256"]}"#,
        "key_invalid: `keys[0].secret`: must be base64url without padding (RFC 4648 §5)",
    ),
    (
        r#"{"keys":[{"secret":"(redacted)"}],"algorithms":["HS256"]}"#,
        "key_invalid: `keys[0].secret`: the secret is redacted in a printed policy; write the secret here, or use a file that contains it",
    ),
    (
        r#"{"keys":[{"secret":"AAAA"}],"algorithms":["HS256"]}"#,
        "key_invalid: `keys[0].secret`: the secret has only 3 bytes; HS256 requires 32, HS384 requires 48, HS512 requires 64",
    ),
    (
        r#"{"keys":[{"jwk":{"kty":"oct","k":"(redacted)"}}],"algorithms":["HS256"]}"#,
        "key_invalid: `keys[0].jwk.k`: the secret is redacted in a printed policy; write the secret here, or use a file that contains it",
    ),
    (
        r#"{"keys":[{"jwks":{"keys":[{"kty":"oct","k":"(redacted)"}]}}],"algorithms":["HS256"]}"#,
        "key_invalid: `keys[0].jwks.keys[0].k`: the secret is redacted in a printed policy; write the secret here, or use a file that contains it",
    ),
    (
        r#"{"keys":[{"jwks":[]}],"algorithms":["EdDSA"]}"#,
        "config_invalid: `keys[0].jwks`: must be a JWK set: an object with `keys`",
    ),
    (
        r#"{"keys":[{"jwks":{}}],"algorithms":["EdDSA"]}"#,
        "key_invalid: `keys[0].jwks`: a JWK set must be an object with a list `keys` (RFC 7517 §5)",
    ),
    (
        r#"{"keys":[{"jwk":"x"}],"algorithms":["EdDSA"]}"#,
        "config_invalid: `keys[0].jwk`: must be an object, not a string",
    ),
    (
        r#"{"keys":[{"jwks_file":"x","kid":"k"}],"algorithms":["EdDSA"]}"#,
        "config_invalid: `keys[0].kid`: is not allowed with `jwks_file`; a JWK has its own `kid`",
    ),
    (
        r#"{"keys":[{"jwks_url":"http://x"}],"algorithms":["EdDSA"]}"#,
        "config_invalid: `keys[0].jwks_url`: must be https (http is allowed only for loopback, or with `insecure_http`)",
    ),
    (
        r#"{"keys":[{"jwks_url":"https://x","discovered_algorithms":"any"}],"algorithms":["EdDSA"]}"#,
        "config_invalid: `keys[0].discovered_algorithms`: is not allowed with `jwks_url`; it is only for `oidc_discovery_url`",
    ),
    (
        r#"{"keys":[{"jwks_url":"https://x","redirects":4}],"algorithms":["EdDSA"]}"#,
        "config_invalid: `keys[0].redirects`: must be at most 3",
    ),
    (
        r#"{"keys":[{"pem":"x","cache_ttl":"15m"}],"algorithms":["EdDSA"]}"#,
        "config_invalid: `keys[0].cache_ttl`: is not allowed with `pem`; it is only for keys over HTTP",
    ),
    (
        r#"{%K,"algorithms":["RS256"]}"#,
        "key_invalid: no usable key: `keys[0].jwk`: the key can be used only with EdDSA, Ed25519; allowed: RS256",
    ),
    (
        r#"{%K,"algorithms":["EdDSA"],"algorithms":["EdDSA"]}"#,
        "config_invalid: duplicate member name (line 1, column 173)",
    ),
    (
        r#"{%K,"algorithms":["EdDSA"],"issuer":1}"#,
        "config_invalid: `issuer`: must be a list, not a number",
    ),
    (
        r#"{%K,"algorithms":["EdDSA"],"issuer":""}"#,
        "config_invalid: `issuer`: must not be empty",
    ),
    (
        r#"{%K,"algorithms":["EdDSA"],"issuer":[]}"#,
        "config_invalid: `issuer`: must not be empty",
    ),
    (
        r#"{%K,"algorithms":["EdDSA"],"issuer":["a",1]}"#,
        "config_invalid: `issuer[1]`: must be a string, not a number",
    ),
];

/// Members, each added to a key, an algorithm and an issuer, and their error texts.
pub(super) const MEMBERS: &[(&str, &str)] = &[
    (
        r#""issuers":"x""#,
        "config_invalid: `issuers`: must be an object, not a string",
    ),
    (
        r#""isuer":"x""#,
        "config_invalid: `isuer` is not known; did you mean `issuer`?",
    ),
    (r#""completely":1"#, "config_invalid: `completely` is not known"),
    (
        r#""kid":"hints""#,
        "config_invalid: `kid`: must be one of hint, match, exact, exact_or_only, ignore, required; did you mean `hint`?",
    ),
    (
        r#""kid":1"#,
        "config_invalid: `kid`: must be a string, not a number",
    ),
    (
        r#""audiences":"api""#,
        "config_invalid: `audiences`: must be a list of audiences, or `any`",
    ),
    (
        r#""audiences":[]"#,
        "config_invalid: `audiences`: must not be empty",
    ),
    (
        r#""audience":["x"]"#,
        "config_invalid: `audience` is not known; did you mean `audiences`?",
    ),
    (
        r#""audiences":["a",1]"#,
        "config_invalid: `audiences[1]`: must be a string, not a number",
    ),
    (r#""subject":"""#, "config_invalid: `subject`: must not be empty"),
    (
        r#""required_claims":"exp""#,
        "config_invalid: `required_claims`: must be a list, not a string",
    ),
    (
        r#""leeway":60"#,
        "config_invalid: `leeway`: must be an object with a duration for each claim, such as `{ \"exp\": \"60s\" }`",
    ),
    (
        r#""leeway":{"exp":60}"#,
        r#"config_invalid: `leeway.exp`: a duration requires a unit; write `"60s"`"#,
    ),
    (
        r#""leeway":{"exp":"60"}"#,
        r#"config_invalid: `leeway.exp`: a duration requires a unit; write `"60s"`"#,
    ),
    (
        r#""leeway":{"exp":"-1s"}"#,
        "config_invalid: `leeway.exp`: must not be negative",
    ),
    (
        r#""leeway":{"exp":1.5}"#,
        r#"config_invalid: `leeway.exp`: a duration requires a unit; write `"1.5s"`"#,
    ),
    (
        r#""leeway":{"expires":"1s"}"#,
        "config_invalid: `leeway.expires` is not known; did you mean `exp`?",
    ),
    (
        r#""leeway":{"exp":"1 minute"}"#,
        "config_invalid: `leeway.exp`: `1 minute` is not a duration; write for example `90s` or `1h30m`",
    ),
    (
        r#""max_age":3600"#,
        r#"config_invalid: `max_age`: a duration requires a unit; write `"3600s"`"#,
    ),
    (
        r#""max_age":true"#,
        r#"config_invalid: `max_age`: must be a duration such as "90s", not a boolean"#,
    ),
    (
        r#""typ":"JWT""#,
        "config_invalid: `typ`: must be a list, not a string",
    ),
    (r#""typ":[]"#, "config_invalid: `typ`: must not be empty"),
    (
        r#""claims":{}"#,
        "config_invalid: `claims`: must be a list, not an object",
    ),
    (
        r#""claims":[{}]"#,
        "config_invalid: `claims[0]`: must have one of claim, pointer, jmespath",
    ),
    (
        r#""claims":[{"claim":"a"}]"#,
        "config_invalid: `claims[0]`: must have one of equals, any_of, glob",
    ),
    (
        r#""claims":[{"claim":"a","equals":1,"any_of":[1]}]"#,
        "config_invalid: `claims[0]`: must have only one of equals, any_of, glob",
    ),
    (
        r#""claims":[{"claim":"a","pointer":"/a","equals":1}]"#,
        "config_invalid: `claims[0]`: must have only one of claim, pointer, jmespath",
    ),
    (
        r#""claims":[{"pointer":"a","equals":1}]"#,
        "config_invalid: `claims[0].pointer`: must start with `/` (RFC 6901)",
    ),
    (
        r#""claims":[{"pointer":"/a~b","equals":1}]"#,
        "config_invalid: `claims[0].pointer`: `~` must be written as `~0` (RFC 6901)",
    ),
    (
        r#""claims":[{"claim":"a","index":"go","equals":1}]"#,
        "config_invalid: `claims[0].index`: is allowed only with `pointer`",
    ),
    (
        r#""claims":[{"claim":"a","any_of":[{}]}]"#,
        "config_invalid: `claims[0].any_of[0]`: must be a string, a number, true, false or null, not an object",
    ),
    (
        r#""claims":[{"claim":"a","any_of":"x"}]"#,
        "config_invalid: `claims[0].any_of`: must be a list, not a string",
    ),
    (
        r#""claims":[{"claim":"a","glob":"x"}]"#,
        "config_invalid: `claims[0].glob`: must be a list, not a string",
    ),
    (
        r#""claims":[{"jmespath":"a b"}]"#,
        "expression_invalid: `claims[0].jmespath`: `a b` has a syntax error at line 1, column 3: an operator is missing before this",
    ),
    (
        r#""claims":[{"jmespath":""}]"#,
        "config_invalid: `claims[0].jmespath`: must not be empty",
    ),
    (
        r#""claims":[{"claim":"a","equal":1}]"#,
        "config_invalid: `claims[0].equal` is not known; did you mean `equals`?",
    ),
    (
        r#""check_order":["exp"]"#,
        "config_invalid: `check_order`: must list each of the nine checks exactly once",
    ),
    (
        r#""check_order":["exp","exp","nbf","iat","max_age","iss","sub","aud","any_time"]"#,
        "config_invalid: `check_order`: must list each of the nine checks exactly once",
    ),
    (
        r#""check_order":["expiry"]"#,
        "config_invalid: `check_order[0]`: must be one of iss, sub, aud, unexpected_aud, any_time, nbf, exp, iat, max_age; did you mean `exp`?",
    ),
    (
        r#""identity":"sub""#,
        "config_invalid: `identity`: must be an object, not a string",
    ),
    (
        r#""identity":{"name":""}"#,
        "config_invalid: `identity.name`: must not be empty",
    ),
    (
        r#""identity":{"name":[]}"#,
        "config_invalid: `identity.name`: must not be empty; write `null` if there is no name",
    ),
    (
        r#""identity":{"name":5}"#,
        "config_invalid: `identity.name`: must be an object, not a number",
    ),
    (
        r#""identity":{"user":"sub"}"#,
        "config_invalid: `identity.user` is not known",
    ),
    (
        r#""identity":{"groups":{"claim":"g","text":"numbers"}}"#,
        "config_invalid: `identity.groups.text`: must be one of strings, scalars, truncated_scalars",
    ),
    (
        r#""identity":{"metadata":{"a":{"fixed":1}}}"#,
        "config_invalid: `identity.metadata.a.fixed`: must be a string, not a number",
    ),
    (
        r#""identity":{"metadata":["a"]}"#,
        "config_invalid: `identity.metadata`: must be an object, not a list",
    ),
    (
        r#""identity":{"metadata":{"a":{"jmespath":"("}}}"#,
        "expression_invalid: `identity.metadata.a.jmespath`: `(` has a syntax error at line 1, column 2: an operand is missing here",
    ),
    (r#""roles":{}"#, "config_invalid: `roles.jmespath` is missing"),
    (
        r#""roles":"viewer""#,
        "config_invalid: `roles`: must be an object, not a string",
    ),
    (
        r#""roles":{"jmespath":"r","allowed":[]}"#,
        "config_invalid: `roles.allowed`: must not be empty",
    ),
    (
        r#""roles":{"jmespath":"r","allowed":["a",""]}"#,
        "config_invalid: `roles.allowed[1]`: must not be empty",
    ),
    (
        r#""roles":{"jmespath":"r","allowed":["a"],"default":"b"}"#,
        "config_invalid: `roles`: the default `b` is not one of the allowed roles",
    ),
    (
        r#""roles":{"jmespath":"r","default":"b","strict":true}"#,
        "config_invalid: `roles`: `strict` denies callers without a role, so the default `b` would never be used",
    ),
    (
        r#""roles":{"jmespath":"r","strict":"yes"}"#,
        "config_invalid: `roles.strict`: must be true or false, not a string",
    ),
    (
        r#""policies":"read""#,
        "config_invalid: `policies`: must be a list, not a string",
    ),
    (
        r#""policies":[""]"#,
        "config_invalid: `policies[0]`: must not be empty",
    ),
    (
        r#""policies":[]"#,
        "config_invalid: `policies`: must not be empty",
    ),
    (
        r#""session":{"ttl":3600}"#,
        r#"config_invalid: `session.ttl`: a duration requires a unit; write `"3600s"`"#,
    ),
    (
        r#""session":{"ttl":"0s"}"#,
        "config_invalid: `session.ttl`: must be greater than zero; remove it for a session without an end",
    ),
    (
        r#""session":{"ttl":"1.5s"}"#,
        "config_invalid: `session.ttl`: must be a whole number of seconds",
    ),
    (
        r#""session":{"ttl":"2h","max_ttl":"1h"}"#,
        "config_invalid: `session.max_ttl`: must not be shorter than `ttl`",
    ),
    (
        r#""session":{"tll":"1h"}"#,
        "config_invalid: `session.tll` is not known; did you mean `ttl`?",
    ),
    (
        r#""bound_cidrs":["10.0.0.1"]"#,
        "config_invalid: `bound_cidrs[0]`: `10.0.0.1` is a single address; write `10.0.0.1/32` to allow only this address",
    ),
    (
        r#""bound_cidrs":["10.0.0.0/33"]"#,
        "config_invalid: `bound_cidrs[0]`: `10.0.0.0/33` is not a network; write for example `10.0.0.0/8`",
    ),
    (
        r#""bound_cidrs":"10.0.0.0/8""#,
        "config_invalid: `bound_cidrs`: must be a list, not a string",
    ),
    (
        r#""bound_cidrs":["localhost"]"#,
        "config_invalid: `bound_cidrs[0]`: `localhost` is not a network; write for example `10.0.0.0/8`",
    ),
    (
        r#""token":"Authorization""#,
        "config_invalid: `token`: must be an object, not a string",
    ),
    (
        r#""token":{"header":""}"#,
        "config_invalid: `token.header`: must not be empty",
    ),
    (
        r#""token":{"header":null,"prefix":"Bearer "}"#,
        "config_invalid: `token.prefix`: is allowed only with `header`",
    ),
    (
        r#""token":{"prefix_rule":"maybe"}"#,
        "config_invalid: `token.prefix_rule`: must be one of scheme, optional",
    ),
    (
        r#""token":{"form":"x"}"#,
        "config_invalid: `token.form` is not known",
    ),
    (
        r#""token":{"padding":true}"#,
        "config_invalid: `token.padding`: must be a string, not a boolean",
    ),
    (
        r#""profiles":[]"#,
        "config_invalid: `profiles`: must be an object, not a list",
    ),
    (
        r#""profiles":{"":{}}"#,
        "config_invalid: `profiles`: a profile must have a name",
    ),
    (
        r#""profiles":{"ci":{"isuer":"x"}}"#,
        "config_invalid: `profiles.ci.isuer` is not known; did you mean `issuer`?",
    ),
    (
        r#""profiles":{"ci":{"keys":[]}}"#,
        "config_invalid: `profiles.ci.keys`: applies to all profiles; set it at the top level",
    ),
    (
        r#""profiles":{"ci":{"max_age":3600}}"#,
        r#"config_invalid: `profiles.ci.max_age`: a duration requires a unit; write `"3600s"`"#,
    ),
    (
        r#""profiles":{"ci":null}"#,
        "config_invalid: `profiles.ci`: must be an object, not null",
    ),
    (
        r#""profiles_ignore_case":true,"profiles":{"A":{},"a":{}}"#,
        "config_invalid: `profiles.a`: duplicate profile: the name differs from another one only in letter case",
    ),
    (
        r#""default_profile":"""#,
        "config_invalid: `default_profile`: must not be empty",
    ),
    (
        r#""default_profile":"ci","profile_required":true"#,
        "config_invalid: `default_profile`: is not allowed with `profile_required`; remove one of the two",
    ),
    (
        r#""not_applicable":{"all":true}"#,
        "config_invalid: `not_applicable.all` is not known",
    ),
    (
        r#""responses":{"entries":[{"code":"nope"}]}"#,
        "config_invalid: `responses.entries[0].code`: `nope` is not an error code",
    ),
    (
        r#""responses":{"default_status":200}"#,
        "config_invalid: `responses.default_status`: must be an HTTP status of a failure, from 400 to 599",
    ),
    (
        r#""synthesise":{"exp_after":"1s"}"#,
        "config_invalid: `synthesise.nbf_before` is missing",
    ),
    (
        r#""bindings":{"rules":[{"bind":"rol","name":"x"}]}"#,
        "config_invalid: `bindings.rules[0].bind`: must be one of policy, role, service, node, templated_policy; did you mean `role`?",
    ),
    (
        r#""org_roles":{"default_org":1.5,"default_role":"x"}"#,
        "config_invalid: `org_roles.default_org`: must be a 64-bit integer",
    ),
    (
        r#""org_roles":{"default_org":1,"default_role":"x","mapping":[{"external":"x","org":"every","role":"y"}]}"#,
        "config_invalid: `org_roles.mapping[0].org`: must be the id of an organisation, or `all`",
    ),
];
