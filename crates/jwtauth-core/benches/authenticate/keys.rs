//! Verifiers with many keys, compared with the signature check of HS256.

use std::hint::black_box;
use std::rc::Rc;

use jwtauth_core::Verifier;

use crate::signed::{Signed, signed};
use crate::timed::{Timed, compare, head};
use crate::{NAME, Result};

const COUNT: usize = 1000;

/// The most that building a verifier with 1,000 keys may cost: about two milliseconds.
const BUILD: f64 = 2800.0;

/// The most that reading a fetched set of 1,000 keys may cost.
const LOAD: f64 = 2800.0;

/// The most that a decision may cost with 1,000 keys, relative to one key. Finding a `kid` takes less than 50 nanoseconds.
const LOOK_UP: f64 = 1.03;

pub(crate) fn table(chosen: &[(&str, Signed)], passes: usize) -> Result<()> {
    head(["HS256", "build"]);
    let unit = signed("HS256")?;
    for (name, signed) in chosen {
        compare(name, BUILD, passes, [unit.check(), signed.building()?]);
    }
    head(["HS256", "load of a fetched set"]);
    for (name, signed) in chosen {
        compare(name, LOAD, passes, [unit.check(), signed.loading()?]);
    }
    head(["one key", "1000 keys"]);
    for (name, signed) in chosen {
        let one = signed.decision(signed.pasted()?)?;
        let many = signed.decision(Verifier::from_json(&signed.with_many_keys()?)?)?;
        compare(name, LOOK_UP, passes, [one, many]);
    }
    Ok(())
}

impl Signed {
    fn building(&self) -> Result<Timed> {
        let envelope = self.with_many_keys()?;
        Verifier::from_json(&envelope)?;
        let build = move || drop(black_box(Verifier::from_json(&envelope)));
        Ok(Timed::new(Box::new(build)))
    }

    /// Fetching a set of 1,000 keys without a network, and reading it.
    fn loading(&self) -> Result<Timed> {
        let many = Signed {
            jwks: self.set_of_many()?,
            primitive: Rc::clone(&self.primitive),
            token: self.token.clone(),
            algorithm: self.algorithm,
        };
        let verifier = many.fetched()?;
        let load = move || assert!(black_box(verifier.refresh_keys()).is_ok());
        Ok(Timed::new(Box::new(load)))
    }

    /// A configuration with the key of the token and 999 keys with other names.
    fn with_many_keys(&self) -> Result<String> {
        Ok(self.envelope(&format!(r#""jwks":{}"#, self.set_of_many()?), NAME, ""))
    }

    fn set_of_many(&self) -> Result<String> {
        let set = self.jwks.strip_prefix(r#"{"keys":["#);
        let key = set.and_then(|set| set.strip_suffix("]}")).ok_or("no key")?;
        let named = |number| key.replacen(r#""kid":"k""#, &format!(r#""kid":"k{number}""#), 1);
        let mut keys: Vec<String> = (1..COUNT).map(named).collect();
        keys.push(key.to_owned());
        Ok(format!(r#"{{"keys":[{}]}}"#, keys.join(",")))
    }
}
