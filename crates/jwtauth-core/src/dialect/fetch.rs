//! How are keys over HTTP configured where a system checks them at once?

use crate::error::Result;
use crate::keys::pem;
use crate::members::Field;
use crate::policy::FetchSettings;
use crate::policy::url;

/// Checks the URL in a field of this name.
pub(super) fn check_url(place: &Field<'_, '_>, name: &str, url: &str, check: url::Check) -> Result<()> {
    check(url, false).map_err(|why| place.error(format!("error checking {name}: {why}")))
}

/// The settings with the authorities in a field of this name; the system's where the field is empty.
///
/// `problem` is what the configured system says of a text without a certificate.
pub(super) fn settings(
    place: &Field<'_, '_>,
    name: &str,
    ca_pem: &str,
    problem: &str,
) -> Result<FetchSettings> {
    if ca_pem.is_empty() {
        return Ok(FetchSettings::default());
    }
    if !pem::has_certificate(ca_pem) {
        return Err(place.error(format!("error checking {name}: {problem}")));
    }
    Ok(FetchSettings {
        ca_pem: Some(ca_pem.to_owned()),
        ..FetchSettings::default()
    })
}
