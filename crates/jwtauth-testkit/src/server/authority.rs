//! A certificate authority that exists as long as the process, and its certificates.

use std::sync::{Arc, LazyLock};

use rcgen::{
    BasicConstraints, Certificate, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, date_time_ymd,
};
use rustls::RootCertStore;
use rustls::ServerConfig;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::PrivateKeyDer;
use rustls::server::WebPkiClientVerifier;
use serde::Deserialize;

use crate::{Context, Result};

/// The certificate that a server presents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tls {
    /// None: plain HTTP.
    None,
    /// A certificate of the authority for loopback.
    #[default]
    Good,
    /// An expired certificate.
    Expired,
    /// A certificate for another host.
    WrongHost,
    /// A certificate of an untrusted authority.
    UnknownCa,
}

/// The authority that clients are configured to trust.
pub struct Authority {
    good: Identity,
    expired: Identity,
    wrong_host: Identity,
    unknown_ca: Identity,
    client: Identity,
    root: Certificate,
    provider: Arc<CryptoProvider>,
}

struct Identity {
    certificate: Certificate,
    key: KeyPair,
}

impl Authority {
    /// The process's authority.
    ///
    /// # Errors
    /// A certificate cannot be created.
    pub fn shared() -> Result<&'static Authority> {
        static SHARED: LazyLock<Result<Authority>> = LazyLock::new(Authority::new);
        SHARED.as_ref().map_err(Clone::clone)
    }

    fn new() -> Result<Authority> {
        let issuer = issuer("a test's authority")?;
        let loopback = || server("127.0.0.1");
        let mut expired = loopback()?;
        expired.not_before = date_time_ymd(2000, 1, 1);
        expired.not_after = date_time_ymd(2001, 1, 1);
        let mut client = named("a test's client")?;
        client.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        Ok(Authority {
            good: Identity::new(&loopback()?, &issuer)?,
            expired: Identity::new(&expired, &issuer)?,
            wrong_host: Identity::new(&server("elsewhere.example")?, &issuer)?,
            unknown_ca: Identity::new(&loopback()?, &self::issuer("an untrusted authority")?)?,
            client: Identity::new(&client, &issuer)?,
            root: Certificate::clone(issuer.as_ref()),
            provider: Arc::new(aws_lc_rs::default_provider()),
        })
    }

    /// The PEM texts for clients, by file name: the authority's certificate; a client's certificate and key; an
    /// untrusted certificate and its key.
    pub fn files(&self) -> [(&'static str, String); 5] {
        let certificate = |identity: &Identity| identity.certificate.pem();
        let key = |identity: &Identity| identity.key.serialize_pem();
        [
            ("ca.pem", self.root.pem()),
            ("client.pem", certificate(&self.client)),
            ("client.key", key(&self.client)),
            ("stranger.pem", certificate(&self.unknown_ca)),
            ("stranger.key", key(&self.unknown_ca)),
        ]
    }

    /// The PEM texts for another server on loopback: its certificate and its key.
    pub fn server(&self) -> (String, String) {
        (self.good.certificate.pem(), self.good.key.serialize_pem())
    }

    /// The TLS configuration that presents this certificate and may request the client's; `None` without TLS.
    pub(super) fn config(&self, tls: Tls, client_certificate: bool) -> Result<Option<Arc<ServerConfig>>> {
        let identity = match tls {
            Tls::None => return Ok(None),
            Tls::Good => &self.good,
            Tls::Expired => &self.expired,
            Tls::WrongHost => &self.wrong_host,
            Tls::UnknownCa => &self.unknown_ca,
        };
        let config = ServerConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_safe_default_protocol_versions()
            .context("TLS")?;
        let config = if client_certificate {
            let mut roots = RootCertStore::empty();
            roots.add(self.root.der().clone()).context("the authority")?;
            let wanted =
                WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&self.provider));
            config.with_client_cert_verifier(wanted.build().context("the client's certificate")?)
        } else {
            config.with_no_client_auth()
        };
        let key = PrivateKeyDer::try_from(identity.key.serialize_der()).context("the server's key")?;
        let chain = vec![identity.certificate.der().clone()];
        let config = config
            .with_single_cert(chain, key)
            .context("the server's certificate")?;
        Ok(Some(Arc::new(config)))
    }
}

impl Identity {
    fn new(params: &CertificateParams, issuer: &CertifiedIssuer<'_, KeyPair>) -> Result<Identity> {
        let key = KeyPair::generate().context("a key")?;
        let certificate = params.signed_by(&key, issuer).context("a certificate")?;
        Ok(Identity { certificate, key })
    }
}

fn issuer(name: &str) -> Result<CertifiedIssuer<'static, KeyPair>> {
    let mut params = named(name)?;
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().context("a key")?;
    CertifiedIssuer::self_signed(params, key).context("an authority")
}

fn server(host: &str) -> Result<CertificateParams> {
    CertificateParams::new([host.to_owned()]).context(host)
}

fn named(name: &str) -> Result<CertificateParams> {
    let mut params = CertificateParams::new([]).context(name)?;
    params.distinguished_name.push(rcgen::DnType::CommonName, name);
    Ok(params)
}
