//! Stage extract: request → raw token.

use std::borrow::Cow;

use ipnet::IpNet;

use crate::error::{Code, Error, Result};
use crate::policy::{ExtractRule, HeaderRule, Padding, PrefixRule};
use crate::query;
use crate::request::Request;

/// Reads the token from the place that the policy names.
///
/// An explicit token takes precedence over headers, and a header over the query. An empty header counts as absent.
///
/// # Errors
/// [`Code::TokenMissing`], [`Code::TokenAmbiguous`], [`Code::AuthenticatorDisabled`].
pub(crate) fn token<'r>(request: &Request<'r>, rule: &ExtractRule) -> Result<Cow<'r, str>> {
    if rule.disabled {
        return Err(Code::AuthenticatorDisabled.into());
    }
    let token = match request.token {
        Some(token) => Cow::Borrowed(token),
        None => carried(request, rule)?,
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

/// Checks that the caller's address is in one of the networks, if the policy names any.
///
/// # Errors
/// [`Code::AddressNotAllowed`], also if the application does not pass the caller's address.
pub(crate) fn address(request: &Request<'_>, networks: &[IpNet]) -> Result<()> {
    if networks.is_empty() {
        return Ok(());
    }
    match request.remote_addr {
        Some(address)
            if networks
                .iter()
                .any(|network| network.contains(&address.to_canonical())) =>
        {
            Ok(())
        }
        Some(_) => Err(Code::AddressNotAllowed.into()),
        None => Err(Error::new(Code::AddressNotAllowed)
            .with_detail("the request has no caller address (`remote_addr`)")),
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

fn carried<'r>(request: &Request<'r>, rule: &ExtractRule) -> Result<Cow<'r, str>> {
    if let Some(header) = &rule.header {
        let mut values = request
            .headers
            .iter()
            .filter(|(name, _)| name.eq_ignore_ascii_case(&header.name))
            .map(|(_, value)| *value);
        let value = values.next().unwrap_or_default();
        // If a header has two values, two readers of the request may see two different tokens.
        if values.next().is_some() {
            return Err(Error::new(Code::TokenAmbiguous)
                .with_detail(format!("the header `{}` is repeated", header.name)));
        }
        if !value.is_empty() {
            return Ok(Cow::Borrowed(without_prefix(
                value,
                header.prefix.as_deref(),
                header.prefix_rule,
            )));
        }
    }
    match (&rule.query, request.url) {
        (Some(parameter), Some(url)) => {
            let token = query::first(url, parameter).unwrap_or_default();
            // The prefix is removed in the query too, unless it is an authentication scheme, which only headers have.
            Ok(match &rule.header {
                Some(HeaderRule {
                    prefix: Some(prefix),
                    prefix_rule: PrefixRule::Optional,
                    ..
                }) => Cow::Owned(token.strip_prefix(prefix.as_str()).unwrap_or(&token).to_owned()),
                _ => token,
            })
        }
        _ => Err(missing(rule)),
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
    match (&rule.header, &rule.query) {
        (Some(header), _) => error.with_detail(format!("expected in the header `{}`", header.name)),
        (None, Some(query)) => error.with_detail(format!("expected in the query parameter `{query}`")),
        (None, None) => error.with_detail("expected in the request's `token`"),
    }
}
