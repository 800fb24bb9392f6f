//! The crate `jsonwebtoken`, compared with a decision that checks the same and delivers the same claims.

use std::hint::black_box;

use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::{Map, Value};

use crate::Result;
use crate::signed::Signed;
use crate::timed::{Timed, marked};

/// How many times as long it must take at least.
const GOALS: [(&str, f64); 2] = [("HS256", 2.5), ("RS256", 1.25)];

pub(crate) fn table(chosen: &[(&str, Signed)], passes: usize) -> Result<()> {
    println!(
        "\n| | a decision, ns | jsonwebtoken, ns | ratio | best | at least |\n|---|---|---|---|---|---|"
    );
    for (name, signed) in chosen {
        let Some((_, goal)) = GOALS.iter().find(|(known, _)| known == name) else {
            continue;
        };
        let (mut ours, mut theirs) = (signed.decision(signed.pasted()?)?, signed.by_jsonwebtoken()?);
        for _ in 0..passes {
            ours.turn();
            theirs.turn();
        }
        let best = theirs.cost().at(0.0) / ours.cost().at(0.0);
        let (ours, theirs) = (ours.cost().at(0.5), theirs.cost().at(0.5));
        let ratio = marked(theirs / ours, theirs / ours >= *goal);
        println!("| {name} | {ours:.0} | {theirs:.0} | {ratio} | {best:.2} | {goal} |");
    }
    Ok(())
}

impl Signed {
    #[expect(clippy::disallowed_methods, reason = "the other crate is what is measured")]
    fn by_jsonwebtoken(&self) -> Result<Timed> {
        let set: jsonwebtoken::jwk::JwkSet = serde_json::from_str(&self.jwks)?;
        let key = DecodingKey::from_jwk(set.keys.first().ok_or("no key")?)?;
        let mut rules = Validation::new(self.algorithm.parse::<Algorithm>()?);
        rules.set_issuer(&["https://id.example.com/realms/main"]);
        rules.set_audience(&["api"]);
        rules.validate_nbf = true;
        let token = self.token.clone();
        let decide = move || jsonwebtoken::decode::<Map<String, Value>>(black_box(&token), &key, &rules);
        decide()?;
        Ok(Timed::new(Box::new(move || assert!(black_box(decide()).is_ok()))))
    }
}
