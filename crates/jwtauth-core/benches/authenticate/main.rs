//! Benchmarks of a whole decision: compared with the bare signature check, with fetched keys compared with configured
//! keys, with expressions compared with none, from the token cache, on several threads, and in batches.
//!
//! `cargo bench -p jwtauth-core [-- TABLE… ALGORITHM…]` prints tables in Markdown; `QUICK=1` measures too briefly to be
//! useful, but shows that everything runs. The tables are `goals`, `peers`, `parts`, `denials`, `fetched`,
//! `expressions`, `cache`, `keys`, `threads` and `batch`. `parts`, `cache` and `keys` compare with the signature check of HS256,
//! whatever the token's algorithm.
//!
//! On a machine that runs other programs too, only the ratio of measurements that were taken close together is
//! meaningful. Both sides of a comparison are therefore measured alternately, in batches of a quarter of a
//! millisecond. The output has medians, and the best batches for a machine that is never idle. Criterion and divan
//! finish one case before they begin the next.

mod batch;
mod denials;
mod goals;
mod keys;
mod parts;
mod peers;
mod signed;
mod threads;
mod throughput;
mod timed;

use std::error::Error;
use std::hint::black_box;
use std::sync::Arc;

use jwtauth_core::fetch::{Fetch, FetchFailed, FetchRequest, Fetched};
use jwtauth_core::{Request, Verifier};

use crate::signed::{PAYLOAD, Signed, signed};
use crate::timed::{Timed, compare, head};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const PASSES: usize = 801;

/// The algorithms.
const ALGORITHMS: [&str; 7] = ["HS256", "RS256", "PS256", "ES256", "ES384", "ES512", "EdDSA"];

/// The maximum cost of a decision with fetched keys, relative to a decision with the same keys in the configuration.
const FETCHED_GOAL: f64 = 1.03;

/// The maximum cost of a decision from the token cache, relative to the signature check of HS256.
const CACHE_GOAL: f64 = 0.45;

/// The members with an expression, and the maximum cost of a decision with them, relative to a decision without them.
const EXPRESSIONS: [(&str, &str, f64); 3] = [
    (
        "roles",
        r#","roles":{"jmespath":"contains(groups, '/staff/admins') && 'admin' || contains(groups, '/staff/on-call') && 'editor' || 'viewer'"}"#,
        1.35,
    ),
    ("a role", r#","roles":{"jmespath":"role"}"#, 1.1),
    (
        "a claim",
        r#","claims":[{"jmespath":"contains(groups, '/projects/hermes')"}]"#,
        1.2,
    ),
];

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (tables, algorithms): (Vec<&str>, Vec<&str>) = arguments
        .iter()
        .map(String::as_str)
        .filter(|argument| !argument.starts_with('-'))
        .partition(|argument| TABLES.contains(argument));
    let passes = timed::passes(&arguments, PASSES);
    let wanted = |table| tables.is_empty() || tables.contains(&table);
    let chosen = |name| {
        let chosen = algorithms.is_empty() || algorithms.contains(&name);
        chosen.then(|| signed(name).map(|signed| (name, signed)))
    };

    println!("A payload of {} bytes; {passes} turns.", PAYLOAD.len());
    let chosen = ALGORITHMS
        .into_iter()
        .filter_map(chosen)
        .collect::<Result<Vec<_>>>()?;
    if wanted("goals") {
        goals::table(&chosen, passes)?;
    }
    if wanted("peers") {
        peers::table(&chosen, passes)?;
    }
    if wanted("parts") {
        parts::table(&signed("HS256")?, passes)?;
    }
    if wanted("denials") {
        denials::table(&chosen, passes)?;
    }
    if wanted("fetched") {
        head(["pasted", "fetched"]);
        for (name, signed) in &chosen {
            let sides = [
                signed.decision(signed.pasted()?)?,
                signed.decision(signed.fetched()?)?,
            ];
            compare(name, FETCHED_GOAL, passes, sides);
        }
    }
    // Neither an expression nor a hit depends on the algorithm.
    let first = || chosen.iter().take(1);
    if wanted("expressions") {
        for (name, signed) in first() {
            head(["without", name]);
            for (what, members, goal) in EXPRESSIONS {
                let sides = [
                    signed.decision(signed.pasted()?)?,
                    signed.decision(signed.pasted_with(members)?)?,
                ];
                compare(what, goal, passes, sides);
            }
        }
    }
    if wanted("cache") {
        head(["HS256", "hit"]);
        let unit = signed("HS256")?;
        for (name, signed) in first() {
            let hit = signed.decision(signed.remembering(&signed.pasted_source())?)?;
            compare(name, CACHE_GOAL, passes, [unit.check(), hit]);
            let hit = signed.decision(signed.remembering(FETCHED)?)?;
            compare("fetched", CACHE_GOAL, passes, [unit.check(), hit]);
        }
    }
    if wanted("keys") {
        keys::table(&chosen, passes)?;
    }
    if wanted("threads") {
        threads::head();
        for (name, signed) in &chosen {
            threads::compare(
                &format!("{name} pasted"),
                passes,
                &signed.pasted()?,
                &signed.token,
            );
            threads::compare(
                &format!("{name} fetched"),
                passes,
                &signed.fetched()?,
                &signed.token,
            );
            threads::compare(
                &format!("{name} cache"),
                passes,
                &signed.remembering(&signed.pasted_source())?,
                &signed.token,
            );
        }
    }
    if wanted("batch") {
        batch::head();
        for (name, signed) in &chosen {
            batch::compare(name, passes, &signed.pasted()?, &signed.token);
        }
    }
    Ok(())
}

const TABLES: [&str; 10] = [
    "goals",
    "peers",
    "parts",
    "denials",
    "fetched",
    "expressions",
    "cache",
    "keys",
    "threads",
    "batch",
];

/// The member for the name of the caller.
const NAME: &str = r#","identity":{"name":"sub"}"#;

/// A key source that fetches its keys.
const FETCHED: &str = r#""jwks_url":"https://id.example.com/keys","insecure_symmetric_keys":true"#;

impl Signed {
    fn decision(&self, verifier: Verifier) -> Result<Timed> {
        let token = self.token.clone();
        // The measured path must end in a grant.
        verifier.authenticate(&Request::bearer(&token))?;
        Ok(Timed::new(Box::new(move || decide(&verifier, &token))))
    }

    /// A verifier with the keys in its configuration.
    fn pasted(&self) -> Result<Verifier> {
        self.pasted_with("")
    }

    /// A verifier with the keys in its configuration, and with more members.
    fn pasted_with(&self, members: &str) -> Result<Verifier> {
        self.verifier(&self.pasted_source(), &format!("{NAME}{members}"), "")
    }

    /// A verifier that has fetched its keys.
    fn fetched(&self) -> Result<Verifier> {
        self.verifier(FETCHED, NAME, "")
    }

    /// A verifier with a token cache.
    fn remembering(&self, source: &str) -> Result<Verifier> {
        let cache = r#""token_cache":{"max_bytes":1048576,"max_ttl":"5m"}"#;
        self.verifier(source, NAME, cache)
    }

    fn pasted_source(&self) -> String {
        format!(r#""jwks":{}"#, self.jwks)
    }

    fn verifier(&self, source: &str, members: &str, options: &str) -> Result<Verifier> {
        let fetch: Arc<dyn Fetch> = Arc::new(FixedKeys(self.jwks.clone()));
        let envelope = self.envelope(source, members, options);
        let verifier = Verifier::builder(&envelope)?.fetch(fetch).build()?;
        verifier.refresh_keys()?;
        Ok(verifier)
    }

    fn envelope(&self, source: &str, members: &str, options: &str) -> String {
        let algorithm = self.algorithm;
        format!(
            r#"{{"dialect":"native","config":{{"keys":[{{{source}}}],"algorithms":["{algorithm}"],
            "issuer":"https://id.example.com/realms/main","audiences":["api"]{members}}},
            "options":{{{options}}}}}"#
        )
    }
}

fn decide(verifier: &Verifier, token: &str) {
    assert!(black_box(verifier.authenticate(black_box(&Request::bearer(token)))).is_ok());
}

/// Returns a fixed key set without a network.
#[derive(Debug)]
struct FixedKeys(String);

impl Fetch for FixedKeys {
    fn get(&self, _: &FetchRequest<'_>) -> std::result::Result<Fetched, FetchFailed> {
        Ok(Fetched::new(200, self.0.as_str()))
    }
}
