//! TLS of the client: the authorities that it trusts, and its own certificate.

use std::path::Path;
use std::sync::Arc;

use once_cell::race::OnceBox;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use rustls::{AlertDescription, CertificateError, RootCertStore};
use ureq::tls::{Certificate, ClientCert, PemItem, PrivateKey, RootCerts, TlsConfig, TlsProvider, parse_pem};
use zeroize::Zeroizing;

use crate::file;
use crate::policy::{FetchSettings, Secret};

type Certificates = Vec<Certificate<'static>>;

/// The TLS configuration of a connection.
pub(super) fn config(
    authorities: &Certificates,
    identity: Option<ClientCert>,
    skip_verify: bool,
) -> TlsConfig {
    TlsConfig::builder()
        .provider(TlsProvider::Rustls)
        .unversioned_rustls_crypto_provider(Arc::new(aws_lc_rs::default_provider()))
        .root_certs(RootCerts::new_with_certs(authorities))
        .client_cert(identity)
        .disable_verification(skip_verify)
        .build()
}

/// The authorities that are trusted instead of the system's, if the settings name any. A file is read for each fetch.
///
/// # Errors
/// The setting, and what is wrong with it.
pub(super) fn authorities(remote: &FetchSettings) -> Result<Option<Certificates>, String> {
    let pem = Pem {
        name: "ca",
        text: remote.ca_pem.as_deref().map(str::as_bytes),
        file: remote.ca_file.as_deref(),
    };
    let Some(text) = pem.read()? else {
        return Ok(None);
    };
    let found = certificates(&text);
    if found.is_empty() {
        return Err(pem.refused("no PEM certificate"));
    }
    // A bundle may contain certificates that are too old to be read. One readable certificate is enough.
    let mut store = RootCertStore::empty();
    let (usable, _) =
        store.add_parsable_certificates(found.iter().map(|one| CertificateDer::from(one.der())));
    if usable == 0 {
        return Err(pem.refused("no valid certificate"));
    }
    Ok(Some(found))
}

/// The client's certificate and key, if the settings name them. Files are read for each fetch, because certificates
/// are renewed in place.
///
/// # Errors
/// The setting, and what is wrong with it.
pub(super) fn identity(remote: &FetchSettings) -> Result<Option<ClientCert>, String> {
    let chain = Pem {
        name: "client_cert",
        text: remote.client_cert_pem.as_deref().map(str::as_bytes),
        file: remote.client_cert_file.as_deref(),
    };
    let key = Pem {
        name: "client_key",
        text: remote.client_key_pem.as_ref().map(Secret::as_bytes),
        file: remote.client_key_file.as_deref(),
    };
    let (chain_text, key_text) = match (chain.read()?, key.read()?) {
        (Some(chain), Some(key)) => (chain, key),
        (None, None) => return Ok(None),
        _ => return Err("a client certificate and its key must be set together".to_owned()),
    };
    let certificates = certificates(&chain_text);
    if certificates.is_empty() {
        return Err(chain.refused("no PEM certificate"));
    }
    let private =
        PrivateKey::from_pem(&key_text).map_err(|_| key.refused("no unencrypted PEM private key"))?;
    // A connection needs a matching pair. While files are renewed, the certificate and the key may not match for a
    // moment.
    let der = PrivateKeyDer::try_from(private.der()).map_err(|_| key.refused("no valid private key"))?;
    let ders = certificates
        .iter()
        .map(|one| CertificateDer::from(one.der().to_vec()));
    CertifiedKey::from_der(ders.collect(), der.clone_key(), &aws_lc_rs::default_provider()).map_err(
        |why| match why {
            rustls::Error::InconsistentKeys(_) => {
                key.refused("a key that does not match the client certificate")
            }
            _ => key.refused("no private key that can be used with the client certificate"),
        },
    )?;
    Ok(Some(ClientCert::new_with_certs(&certificates, private)))
}

/// The authorities that the system trusts, or those of `SSL_CERT_FILE` and `SSL_CERT_DIR`. They are read when they
/// are first needed, because reading is slow, and are then kept.
#[derive(Debug, Default)]
pub(super) struct SystemRoots(OnceBox<Certificates>);

impl SystemRoots {
    /// Returns the authorities.
    ///
    /// # Errors
    /// The system has no authorities.
    pub(super) fn get(&self) -> Result<Certificates, String> {
        self.0.get_or_try_init(read_system_roots).cloned()
    }
}

fn read_system_roots() -> Result<Box<Certificates>, String> {
    let found = rustls_native_certs::load_native_certs();
    if found.certs.is_empty() {
        let why = found
            .errors
            .first()
            .map(|why| format!(": {why}"))
            .unwrap_or_default();
        return Err(format!(
            "no trusted certificate authorities found on this system{why}"
        ));
    }
    let owned = |one: &CertificateDer<'_>| Certificate::from_der(one).to_owned();
    Ok(Box::new(found.certs.iter().map(owned).collect()))
}

/// A setting that contains a text or names a file.
struct Pem<'r> {
    name: &'static str,
    text: Option<&'r [u8]>,
    file: Option<&'r Path>,
}

impl Pem<'_> {
    fn read(&self) -> Result<Option<Zeroizing<Vec<u8>>>, String> {
        match (self.text, self.file) {
            (None, None) => Ok(None),
            (Some(_), Some(_)) => Err(format!(
                "`{0}_pem` and `{0}_file` are both set; set only one",
                self.name
            )),
            (Some(text), None) => Ok(Some(Zeroizing::new(text.to_vec()))),
            (None, Some(path)) => file::read(path).map(Some).map_err(|why| {
                let why = why.detail().unwrap_or_default();
                format!("`{}_file`: {why}", self.name)
            }),
        }
    }

    fn refused(&self, holds: &str) -> String {
        let kind = if self.file.is_some() { "file" } else { "pem" };
        format!("`{}_{kind}` contains {holds}", self.name)
    }
}

fn certificates(pem: &[u8]) -> Certificates {
    parse_pem(pem)
        .filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(certificate),
            _ => None,
        })
        .collect()
}

/// The reason of a TLS failure, in plain words. `None` for other failures. It contains nothing of the server's
/// certificate.
pub(super) fn reason(why: &ureq::Error) -> Option<String> {
    use rustls::Error;
    let why = match why {
        ureq::Error::Rustls(why) => why,
        ureq::Error::Io(error) => error.get_ref()?.downcast_ref::<Error>()?,
        ureq::Error::Tls(_) => return Some("no certificate names this host".to_owned()),
        _ => return None,
    };
    Some(match why {
        Error::InvalidCertificate(why) => certificate_reason(why),
        Error::AlertReceived(alert) => alert_reason(*alert),
        Error::InvalidMessage(_) => "the server did not respond with TLS".to_owned(),
        Error::PeerIncompatible(_) => "no common TLS version or cipher suite with the server".to_owned(),
        Error::NoCertificatesPresented => "the server sent no certificate".to_owned(),
        Error::PeerMisbehaved(_)
        | Error::InappropriateMessage { .. }
        | Error::InappropriateHandshakeMessage { .. }
        | Error::DecryptError => "the server violated the TLS protocol".to_owned(),
        _ => "TLS failed".to_owned(),
    })
}

fn certificate_reason(why: &CertificateError) -> String {
    match why {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "the server's certificate has expired".to_owned()
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "the server's certificate is not valid yet".to_owned()
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "the server's certificate is not valid for this host name".to_owned()
        }
        CertificateError::UnknownIssuer => {
            "the server's certificate is not trusted (unknown certificate authority)".to_owned()
        }
        CertificateError::Revoked => "the server's certificate was revoked".to_owned(),
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            "the server's certificate is not valid for server authentication".to_owned()
        }
        // One word of the verifier, such as `CaUsedAsEndEntity` for the certificate of an authority.
        CertificateError::Other(why) => format!("the server's certificate is invalid: {why}"),
        _ => "the server's certificate is invalid".to_owned(),
    }
}

fn alert_reason(alert: AlertDescription) -> String {
    match alert {
        AlertDescription::CertificateRequired => "the server requires a client certificate".to_owned(),
        AlertDescription::BadCertificate
        | AlertDescription::CertificateExpired
        | AlertDescription::CertificateRevoked
        | AlertDescription::CertificateUnknown
        | AlertDescription::UnsupportedCertificate
        | AlertDescription::UnknownCA
        | AlertDescription::AccessDenied => {
            format!("the server rejected the client certificate ({alert:?})")
        }
        // Servers with TLS 1.2 send this if a client certificate is missing, and for many other reasons.
        AlertDescription::HandshakeFailure => {
            "the server aborted the TLS handshake; it may require a client certificate or another cipher suite".to_owned()
        }
        AlertDescription::UnrecognisedName => "the server does not recognize the host name".to_owned(),
        AlertDescription::ProtocolVersion => {
            "no common TLS version or cipher suite with the server".to_owned()
        }
        alert => format!("the server closed the TLS connection ({alert:?})"),
    }
}
