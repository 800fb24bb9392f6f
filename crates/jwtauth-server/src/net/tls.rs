//! The certificate of the server, read from files.

use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::settings::{Invalid, Tls};

/// Reads certificate and key.
///
/// # Errors
/// A file cannot be read, or the key is not that of the certificate.
pub(crate) fn load(tls: &Tls) -> Result<Arc<ServerConfig>, Invalid> {
    let file = |path: &std::path::Path, why: &dyn std::fmt::Display| {
        Invalid::new(format!("`server.tls`: {}: {why}", path.display()))
    };
    let certificates = CertificateDer::pem_file_iter(&tls.cert_file)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|why| file(&tls.cert_file, &without_content(&why)))?;
    if certificates.is_empty() {
        return Err(file(&tls.cert_file, &"contains no certificate"));
    }
    let key = PrivateKeyDer::from_pem_file(&tls.key_file)
        .map_err(|why| file(&tls.key_file, &without_content(&why)))?;
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(certificates, key));
    let mut config = config.map_err(|why| file(&tls.key_file, &why))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// The reason for which a file cannot be read. The library's texts quote lines of the file, which may be the key.
fn without_content(why: &pem::Error) -> String {
    match why {
        pem::Error::Io(why) => why.to_string(),
        pem::Error::NoItemsFound => "contains no unencrypted private key in PEM".to_owned(),
        _ => "is not valid PEM".to_owned(),
    }
}
