//! The number of fetches for a flood of tokens with unknown keys.

use aws_lc_rs::rand;
use base64_simd::URL_SAFE_NO_PAD;
use jwtauth_core::{Code, Request, Verifier};
use serde_json::{Value, json};

use crate::provider::{Provider, Result};
use crate::verifiers::{THREADS, Timed, on_threads, verifier};

const KIDS: usize = 200;

pub(crate) fn run(provider: &mut Provider) -> Result<()> {
    let token = provider.tokens()?.swap_remove(0);
    let sources = [
        json!({ "jwks_url": provider.jwks_uri }),
        json!({ "oidc_discovery_url": provider.issuer }),
    ];
    for source in sources {
        let Timed { verifier, .. } = verifier(provider, &source)?;
        let before = provider.requests()?;
        let flooded = on_threads(|| flood(&verifier, &token));
        flooded?.into_iter().collect::<Result<()>>()?;
        let granted = verifier.authenticate(&Request::bearer(&token));
        granted.map_err(|why| format!("the provider's own token after the flood: {why}"))?;
        let after = provider.requests()?;
        let [keys, metadata] = [after.keys - before.keys, after.metadata - before.metadata];
        println!("{KIDS} unknown kids, {source}: {keys} requests for keys, {metadata} for metadata");
        // No cool-down ends, because the clock stands.
        if keys != 1 || metadata > 1 {
            return Err("not exactly one fetch".to_owned());
        }
    }
    Ok(())
}

fn flood(verifier: &Verifier, token: &str) -> Result<()> {
    for _ in 0..KIDS / THREADS {
        match verifier.authenticate(&Request::bearer(&under_another_kid(token)?)) {
            Err(why) if why.code() == Code::KeyNotFound => {}
            Err(why) => return Err(format!("an unknown kid: {why}")),
            Ok(_) => return Err("a token with an unknown kid is granted".to_owned()),
        }
    }
    Ok(())
}

/// A token with an unknown `kid`.
fn under_another_kid(token: &str) -> Result<String> {
    let (header, rest) = token.split_once('.').ok_or("no token")?;
    let header = URL_SAFE_NO_PAD
        .decode_to_vec(header)
        .map_err(|why| why.to_string())?;
    let mut header: Value = serde_json::from_slice(&header).map_err(|why| why.to_string())?;
    let mut kid = [0; 12];
    rand::fill(&mut kid).map_err(|why| why.to_string())?;
    if let Some(members) = header.as_object_mut() {
        members.insert("kid".to_owned(), json!(URL_SAFE_NO_PAD.encode_to_string(kid)));
    }
    Ok(format!(
        "{}.{rest}",
        URL_SAFE_NO_PAD.encode_to_string(header.to_string())
    ))
}
