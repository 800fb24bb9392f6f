//! `jwtauth sign`: signs a token for tests. Use an identity provider to issue tokens in production.

mod key;

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use base64_simd::URL_SAFE_NO_PAD;
use clap::Args;
use clap::builder::PossibleValuesParser;
use clap::builder::TypedValueParser as _;
use jwtauth_core::Clock;
use jwtauth_core::internals::Algorithm;
use jwtauth_core::internals::json::{self, Value};
use serde::ser::{Serialize, Serializer};

use crate::ending::{Ending, Misuse};
use crate::instant::Time;
use crate::screen;

use self::key::SigningKey;

/// The arguments of `sign`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// A file with the private key as PEM (PKCS #8, PKCS #1, SEC 1) or JWK, or with a shared secret
    #[arg(long, short, value_name = "FILE")]
    key: PathBuf,

    /// The algorithm
    #[arg(long, short, value_parser = algorithm())]
    alg: Algorithm,

    /// The `kid` for the header; default: the `kid` of a JWK
    #[arg(long, value_name = "TEXT")]
    kid: Option<String>,

    /// The claims, as a JSON object or @FILE; the text is signed unchanged, except for what --exp adds
    #[arg(long, short, value_name = "JSON|@FILE", default_value = "{}")]
    claims: String,

    /// Add `iat`, the current time, and `exp`: a time, or a duration from now such as 1h or 90s
    #[arg(long, value_name = "TIME|DURATION", value_parser = Time::parse, allow_hyphen_values = true)]
    exp: Option<Time>,

    /// More members for the header, as a JSON object; null removes `typ` or `kid`
    #[arg(long, value_name = "JSON")]
    header: Option<String>,
}

/// Prints a signed token.
///
/// # Errors
/// The key cannot be read or does not fit the algorithm, or claims or header are not JSON objects.
pub(crate) fn run(arguments: &Arguments) -> Result<Ending, Misuse> {
    let key = SigningKey::read(&arguments.key)?;
    let mut claims = claims(&arguments.claims)?;
    if let Some(exp) = arguments.exp {
        claims = Cow::Owned(with_times(&claims, exp)?);
    }
    let mut header = Header(vec![
        (Cow::Borrowed("alg"), text(arguments.alg.as_str())),
        (Cow::Borrowed("typ"), text("JWT")),
    ]);
    if let Some(kid) = arguments.kid.as_deref().or(key.kid()) {
        header.0.push((Cow::Borrowed("kid"), text(kid)));
    }
    let more = arguments.header.as_deref().unwrap_or("{}");
    header.add(object(more, "--header")?)?;

    let header = serde_json::to_string(&header).map_err(|why| Misuse::new(why.to_string()))?;
    let message = format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode_to_string(header),
        URL_SAFE_NO_PAD.encode_to_string(claims.as_ref())
    );
    let signature = key.sign(arguments.alg, message.as_bytes())?;
    screen::show(&format!("{message}.{signature}\n"))?;
    Ok(Ending::Well)
}

/// The header's members, in the order in which they are written.
struct Header<'a>(Vec<(Cow<'a, str>, Value<'a>)>);

impl<'a> Header<'a> {
    fn add(&mut self, more: Vec<(String, Value<'a>)>) -> Result<(), Misuse> {
        for (name, value) in more {
            if name == "alg" {
                return Err(Misuse::new("--header cannot set `alg`; use --alg"));
            }
            self.0.retain(|(known, _)| *known != name);
            if !value.is_null() {
                self.0.push((Cow::Owned(name), value));
            }
        }
        Ok(())
    }
}

impl Serialize for Header<'_> {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

fn algorithm() -> impl clap::builder::TypedValueParser<Value = Algorithm> {
    PossibleValuesParser::new(Algorithm::ALL.map(Algorithm::as_str))
        .try_map(|name| Algorithm::parse(&name).ok_or("not an algorithm"))
}

/// The claims to sign: checked to be an object, and not changed.
fn claims(argument: &str) -> Result<Cow<'_, str>, Misuse> {
    let (claims, origin) = match argument.strip_prefix('@') {
        None => (Cow::Borrowed(argument), "--claims"),
        Some(path) => {
            let path = Path::new(path);
            let content = screen::whole_file(path)?;
            let content = str::from_utf8(&content).map_err(|_| Misuse::file(path, "it is not UTF-8"))?;
            (
                Cow::Owned(content.trim_ascii().to_owned()),
                "the file of --claims",
            )
        }
    };
    object(&claims, origin)?;
    Ok(claims)
}

/// The claims with `iat`, the current time, and `exp` at the end.
fn with_times(claims: &str, exp: Time) -> Result<String, Misuse> {
    let members = object(claims, "--claims")?;
    if let Some((name, _)) = members.iter().find(|(name, _)| name == "iat" || name == "exp") {
        return Err(Misuse::new(format!(
            "the claims have `{name}`, which --exp adds; remove one of them"
        )));
    }
    let before = claims
        .trim_ascii_end()
        .strip_suffix('}')
        .unwrap_or_default()
        .trim_ascii_end();
    let comma = if members.is_empty() { "" } else { "," };
    let now = Clock::System.now();
    let (iat, exp) = (now.seconds(), exp.seconds(now));
    Ok(format!(r#"{before}{comma}"iat":{iat},"exp":{exp}}}"#))
}

fn object<'t>(document: &'t str, origin: &str) -> Result<Vec<(String, Value<'t>)>, Misuse> {
    match json::parse(document) {
        Ok(Value::Object(object)) => Ok(object
            .members()
            .map(|(name, value)| (name.to_owned(), value.clone()))
            .collect()),
        Ok(other) => Err(Misuse::new(format!(
            "{origin} must be a JSON object, not {}",
            other.type_name()
        ))),
        Err(why) => Err(Misuse::new(format!("{origin}: {why}"))),
    }
}

fn text(text: &str) -> Value<'_> {
    Value::String(Cow::Borrowed(text))
}
