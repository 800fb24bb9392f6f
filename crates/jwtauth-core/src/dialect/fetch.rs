//! Settings of keys over HTTP in the dialects of systems that check them when the configuration is written.

use crate::error::Result;
use crate::keys::pem;
use crate::members::Field;
use crate::policy::FetchSettings;
use crate::policy::url;

/// Checks the URL in the field `name`.
pub(super) fn check_url(place: &Field<'_, '_>, name: &str, url: &str, check: url::Check) -> Result<()> {
    check(url, false).map_err(|why| place.error(format!("error checking {name}: {why}")))
}

/// Returns fetch settings with the authorities in the field `name`; the system's authorities if the field is empty.
///
/// `problem` is the error text of the configured system for a text without a certificate.
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
