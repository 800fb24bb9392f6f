//! The formats that a configuration contains: Grafana's file, expressions, key sets, PEM.

use jwtauth_core::internals::Claims;
use jwtauth_core::internals::expr::{Document, Glob, IndexRule, JmesPath, Pointer, Selector, Template};
use jwtauth_core::{Request, Verifier, wire};
use serde_json::json;

/// Grafana's configuration files are read or refused.
pub(super) fn ini(text: &str) {
    // The file could be anything, for example a terminal.
    if text.contains("_file") {
        return;
    }
    let config = json!({ "dialect": "grafana", "config": { "ini": text } });
    if let Ok(verifier) = Verifier::from_json(&config.to_string()) {
        wire::policy(&verifier);
    }
}

/// `expression`, a line break, and claims. A printed expression parses to an equal one.
pub(super) fn expressions(input: &str) {
    let (expression, claims) = input.split_once('\n').unwrap_or((input, "{}"));
    let Ok(claims) = Claims::parse(claims) else { return };
    if let Some(pointer) = Pointer::parse(expression, IndexRule::Go) {
        pointer.find(claims.members());
    }
    Glob::new(expression).matches(input);
    if let Ok(selector) = Selector::parse(expression) {
        assert_eq!(Selector::parse(selector.as_str()).as_ref(), Ok(&selector));
    }
    if let Ok(template) = Template::parse(expression) {
        assert_eq!(Template::parse(template.as_str()).as_ref(), Ok(&template));
    }
    if let Ok(path) = JmesPath::parse(expression) {
        // An evaluation may fail.
        let _ = path.evaluate(&Document::new(claims));
    }
}

/// A key of a set never verifies a signature that it did not make.
pub(super) fn jwks(set: &str) {
    let config =
        format!(r#"{{"dialect":"native","config":{{"keys":[{{"jwks":{set}}}],"algorithms":{ALGORITHMS}}}}}"#);
    denies_forged_tokens(&config);
}

/// A PEM text is a key or is refused. The key never verifies a signature that it did not make.
pub(super) fn pem(text: &str) {
    let config = json!({ "keys": [{ "pem": text }] }).to_string();
    let keys = config.trim_start_matches('{').trim_end_matches('}');
    denies_forged_tokens(&format!(
        r#"{{"dialect":"native","config":{{{keys},"algorithms":{ALGORITHMS}}}}}"#
    ));
}

fn denies_forged_tokens(config: &str) {
    let Ok(verifier) = Verifier::from_json(config) else {
        return;
    };
    // {"alg":"RS256"}, ES256, EdDSA, HS256
    for header in [
        "eyJhbGciOiJSUzI1NiJ9",
        "eyJhbGciOiJFUzI1NiJ9",
        "eyJhbGciOiJFZERTQSJ9",
        "eyJhbGciOiJIUzI1NiJ9",
    ] {
        let token = format!("{header}.e30.AAAA");
        assert!(verifier.authenticate(&Request::bearer(&token)).is_err());
    }
}

const ALGORITHMS: &str = r#"["RS256","PS256","ES256","ES384","ES512","EdDSA","HS256"]"#;
