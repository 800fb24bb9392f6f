//! Stage extract: request → raw token.

use std::borrow::Cow;
use std::cell::Cell;

use ipnet::IpNet;

use crate::error::{Code, Error, Result};
use crate::pipeline::watch::{Check, Event, Part, PartOutcome, Seen, Watch};
use crate::policy::{ExtractRule, HeaderRule, Padding, PrefixRule};
use crate::query;
use crate::request::{Caller, Request};

/// Checks that the request is not too large to be read.
///
/// # Errors
/// [`Code::TokenTooLarge`].
pub(crate) fn size(request: &Request<'_>, watch: &mut impl Watch) -> Result<()> {
    let size = if request.is_oversized() {
        Err(Error::new(Code::TokenTooLarge).with_detail("the request is larger than 4 MiB"))
    } else {
        Ok(())
    };
    watch.saw(|| Event::of(Check::Request, &size));
    size
}

/// Reads the token from the place that the policy names.
///
/// An explicit token takes precedence over headers, a header over the query, and the query over a cookie. An empty
/// header, parameter or cookie counts as absent.
///
/// # Errors
/// [`Code::TokenMissing`], [`Code::TokenAmbiguous`], [`Code::AuthenticatorDisabled`].
pub(crate) fn token<'r>(
    request: &Request<'r>,
    rule: &ExtractRule,
    watch: &mut impl Watch,
) -> Result<Cow<'r, str>> {
    let token = only_token(request, rule, watch);
    if let Err(why) = &token {
        watch.saw(|| Event::failed(Check::Token, why).parts(places(request, rule)));
    }
    token
}

fn only_token<'r>(request: &Request<'r>, rule: &ExtractRule, watch: &mut impl Watch) -> Result<Cow<'r, str>> {
    enabled(rule)?;
    let token = match request.token {
        Some(token) => {
            watch.saw(|| found(token, "the request's `token`", places(request, rule)));
            Cow::Borrowed(token)
        }
        None => carried(request, rule, watch)?,
    };
    let token = match rule.padding {
        Padding::Drop if token.contains('=') => Cow::Owned(token.replace('=', "")),
        Padding::Drop | Padding::Refuse => token,
    };
    if token.is_empty() {
        Err(missing(rule))
    } else {
        Ok(token)
    }
}

/// Checks that the configuration does not switch tokens off.
///
/// # Errors
/// [`Code::AuthenticatorDisabled`].
pub(crate) fn enabled(rule: &ExtractRule) -> Result<()> {
    if rule.disabled {
        Err(Code::AuthenticatorDisabled.into())
    } else {
        Ok(())
    }
}

/// Checks that the caller's address is in one of the networks, if the policy names any.
///
/// # Errors
/// [`Code::AddressNotAllowed`], also if the application does not pass the caller's address, or passes another text.
pub(crate) fn address(request: &Request<'_>, networks: &[IpNet], watch: &mut impl Watch) -> Result<()> {
    let address = in_networks(request, networks);
    watch.saw(|| {
        let seen = match request.remote_addr {
            Caller::At(address) => Some(address.to_string()),
            Caller::Unknown | Caller::NotAnAddress => None,
        };
        let event = Event::of(Check::Address, &address).if_applicable(!networks.is_empty());
        event.seen(Seen::text(seen.as_deref()))
    });
    address
}

fn in_networks(request: &Request<'_>, networks: &[IpNet]) -> Result<()> {
    if networks.is_empty() {
        return Ok(());
    }
    let denied = || Error::new(Code::AddressNotAllowed);
    match request.remote_addr {
        Caller::At(address) => {
            let address = address.to_canonical();
            let is_inside = networks.iter().any(|network| network.contains(&address));
            if is_inside { Ok(()) } else { Err(denied()) }
        }
        Caller::Unknown => Err(denied().with_detail("the request has no caller address (`remote_addr`)")),
        Caller::NotAnAddress => Err(denied().with_detail(
            "`remote_addr` is not an IP address; pass the address of the client, such as `10.1.2.3`",
        )),
    }
}

/// The organisation that the request asks for, if the policy allows requests to ask for one.
pub(crate) fn requested_org(request: &Request<'_>, rule: &ExtractRule) -> Option<u64> {
    let rule = rule.requested_org.as_ref()?;
    // The ids of organisations are signed 64-bit integers.
    let positive = |text: &str| {
        text.parse::<i64>()
            .ok()
            .filter(|org| *org > 0)
            .map(i64::unsigned_abs)
    };
    let from_query = request
        .url
        .and_then(|url| {
            rule.query
                .iter()
                .find_map(|parameter| query::first(url, parameter))
        })
        .and_then(|text| positive(&text));
    let from_header = || {
        let named = |(name, _): &&(&str, &str)| name.eq_ignore_ascii_case(&rule.header);
        request
            .headers
            .iter()
            .find(named)
            .and_then(|(_, value)| positive(value))
    };
    from_query.or_else(from_header)
}

/// The request's URL without the token, if the policy reads tokens from URLs and this URL contains one.
pub(crate) fn cleaned_url(request: &Request<'_>, rule: &ExtractRule) -> Option<String> {
    query::without(request.url?, rule.query.as_deref()?)
}

fn carried<'r>(request: &Request<'r>, rule: &ExtractRule, watch: &mut impl Watch) -> Result<Cow<'r, str>> {
    if let Some(header) = &rule.header
        && let Some(value) = in_header(request, header)?
    {
        let token = without_prefix(value, header.prefix.as_deref(), header.prefix_rule);
        watch.saw(|| found(token, &in_the_header(header), places(request, rule)));
        return Ok(Cow::Borrowed(token));
    }
    if let (Some(parameter), Some(url)) = (&rule.query, request.url)
        && let Some(token) = query::first(url, parameter).filter(|token| !token.is_empty())
    {
        watch.saw(|| {
            found(
                &token,
                &format!("the query parameter `{parameter}`"),
                places(request, rule),
            )
        });
        // The prefix is removed in the query too, unless it is an authentication scheme, which only headers have.
        return Ok(match &rule.header {
            Some(HeaderRule {
                prefix: Some(prefix),
                prefix_rule: PrefixRule::Optional,
                ..
            }) => Cow::Owned(token.strip_prefix(prefix.as_str()).unwrap_or(&token).to_owned()),
            _ => token,
        });
    }
    let cookie = rule.cookie.as_deref().map(|name| in_cookie(request, name));
    match cookie.transpose()?.flatten() {
        Some(token) => {
            let name = rule.cookie.as_deref().unwrap_or_default();
            watch.saw(|| found(token, &format!("the cookie `{name}`"), places(request, rule)));
            Ok(Cow::Borrowed(token))
        }
        None => Err(missing(rule)),
    }
}

fn found(token: &str, place: &str, places: Vec<Part>) -> Event {
    let event = Event::passed(Check::Token)
        .seen(Seen::hidden(token))
        .parts(places);
    event.note(format!("the token was found in {place}"))
}

/// Every place where a token may be, in the order in which they are looked at.
fn places(request: &Request<'_>, rule: &ExtractRule) -> Vec<Part> {
    let is_found = Cell::new(false);
    let place = |name: String, token: Result<Option<&str>>, has_more: bool| {
        let outcome = match token {
            _ if is_found.get() && has_more => PartOutcome::Ignored,
            Err(_) => PartOutcome::Repeated,
            Ok(Some("")) if has_more => PartOutcome::Ignored,
            Ok(None | Some("")) => PartOutcome::Absent,
            Ok(Some(_)) => PartOutcome::Found,
        };
        is_found.set(is_found.get() || outcome == PartOutcome::Found);
        let part = Part::new(name, outcome);
        match token {
            Ok(Some(token)) => part.seen(Seen::hidden(token)),
            Ok(None) | Err(_) => part,
        }
    };
    let mut places = vec![place(
        "the request's `token`".to_owned(),
        Ok(request.token),
        request.token.is_some_and(|token| !token.is_empty()),
    )];
    // Also an empty one takes precedence.
    is_found.set(request.token.is_some());
    if let Some(header) = &rule.header {
        let value = in_header(request, header);
        let has_more = matches!(value, Err(_) | Ok(Some(_)));
        let token = value.map(|value| {
            value.map(|value| without_prefix(value, header.prefix.as_deref(), header.prefix_rule))
        });
        places.push(place(in_the_header(header), token, has_more));
    }
    if let Some(parameter) = &rule.query {
        let token = request.url.and_then(|url| query::first(url, parameter));
        let token = token.as_deref().filter(|token| !token.is_empty());
        let name = format!("the query parameter `{parameter}`");
        places.push(place(name, Ok(token), token.is_some()));
    }
    if let Some(cookie) = &rule.cookie {
        let token = in_cookie(request, cookie);
        let has_more = matches!(token, Err(_) | Ok(Some(_)));
        places.push(place(format!("the cookie `{cookie}`"), token, has_more));
    }
    places
}

fn in_the_header(header: &HeaderRule) -> String {
    format!("the header `{}`", header.name)
}

/// Returns the value of the header, if it is not empty.
fn in_header<'r>(request: &Request<'r>, header: &HeaderRule) -> Result<Option<&'r str>> {
    let repeated = || format!("the header `{}` is repeated", header.name);
    only(values(request, &header.name), repeated)
}

/// Returns the value of the cookie, if it is not empty. A request may have several `Cookie` headers (RFC 9113 §8.2.3).
fn in_cookie<'r>(request: &Request<'r>, name: &str) -> Result<Option<&'r str>> {
    let value = |pair: &'r str| {
        let (own, value) = pair.split_once('=')?;
        let value = value.trim_matches(BLANK);
        let unquoted = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
        (own.trim_matches(BLANK) == name).then_some(unquoted.unwrap_or(value))
    };
    let pairs = values(request, "Cookie").flat_map(|header| header.split(';'));
    only(pairs.filter_map(value), || {
        format!("the cookie `{name}` is repeated")
    })
}

fn values<'r>(request: &Request<'r>, header: &str) -> impl Iterator<Item = &'r str> {
    let named = move |(name, _): &&(&'r str, &'r str)| name.eq_ignore_ascii_case(header);
    request.headers.iter().filter(named).map(|(_, value)| *value)
}

/// Returns the only value, if it is not empty. If there are two, two readers of the request may see two different
/// tokens.
fn only<'r>(
    mut values: impl Iterator<Item = &'r str>,
    repeated: impl FnOnce() -> String,
) -> Result<Option<&'r str>> {
    let value = values.next();
    match values.next() {
        Some(_) => Err(Error::new(Code::TokenAmbiguous).with_detail(repeated())),
        None => Ok(value.filter(|value| !value.is_empty())),
    }
}

fn without_prefix<'v>(value: &'v str, prefix: Option<&str>, rule: PrefixRule) -> &'v str {
    let Some(prefix) = prefix else { return value };
    match rule {
        PrefixRule::Optional => value.strip_prefix(prefix).unwrap_or(value),
        PrefixRule::Scheme => match value.split_at_checked(prefix.len()) {
            Some((start, token)) if start.eq_ignore_ascii_case(prefix) => token.trim_start_matches(' '),
            // Another scheme is for another authenticator. Here the token is absent.
            _ => "",
        },
    }
}

fn missing(rule: &ExtractRule) -> Error {
    let error = Error::new(Code::TokenMissing);
    let place = match rule {
        ExtractRule {
            header: Some(header), ..
        } => format!("the header `{}`", header.name),
        ExtractRule {
            query: Some(query), ..
        } => format!("the query parameter `{query}`"),
        ExtractRule {
            cookie: Some(cookie), ..
        } => format!("the cookie `{cookie}`"),
        ExtractRule { .. } => "the request's `token`".to_owned(),
    };
    error.with_detail(format!("expected in {place}"))
}

/// The white space around a cookie's name and value (RFC 6265 §5.2).
const BLANK: [char; 2] = [' ', '\t'];
