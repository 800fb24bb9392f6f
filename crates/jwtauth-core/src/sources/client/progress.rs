//! The phase that a request has reached, and the description of a failure in it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use ureq::Timeout;
use ureq::unversioned::transport::{ConnectionDetails, Connector, Transport};

use super::tls;
use crate::sources::fetch::{FetchFailed, Phase};

/// The phase that a request has reached. The parts of the client that reach a phase record it.
#[derive(Debug, Clone, Default)]
pub(super) struct Progress(Arc<AtomicUsize>);

impl Progress {
    pub(super) fn at(&self, phase: Phase) {
        let index = Phase::ALL.iter().position(|one| *one == phase);
        self.0.store(index.unwrap_or_default(), Ordering::Relaxed);
    }

    pub(super) fn phase(&self) -> Phase {
        let index = self.0.load(Ordering::Relaxed);
        Phase::ALL.get(index).copied().unwrap_or(Phase::Dns)
    }

    /// The failure, as the library or the operating system describes it.
    pub(super) fn failed(&self, why: &ureq::Error) -> FetchFailed {
        let phase = self.phase();
        if let Some(reason) = tls::reason(why) {
            return FetchFailed::new(Phase::Tls, reason);
        }
        let said = match why {
            ureq::Error::Timeout(Timeout::Global | Timeout::Connect) => match phase {
                Phase::Dns => "DNS resolution timed out",
                Phase::Connect => "the connection timed out",
                Phase::Tls => "the TLS handshake timed out",
                Phase::Http | Phase::Parse => "the response timed out",
            },
            ureq::Error::Io(error) => return FetchFailed::new(phase, system(error)),
            ureq::Error::Other(said) => return FetchFailed::new(phase, said),
            ureq::Error::HostNotFound => "the host name has no address",
            ureq::Error::ConnectProxyFailed(_) => {
                return FetchFailed::new(Phase::Connect, "the proxy refused the connection");
            }
            ureq::Error::LargeResponseHeader(..) => "the response headers are too large",
            ureq::Error::Protocol(_) => "the response is not valid HTTP",
            _ => "the request failed",
        };
        FetchFailed::new(phase, said)
    }
}

/// The system's description of its own errors. For other errors, the description of their kind.
fn system(error: &std::io::Error) -> String {
    if error.raw_os_error().is_some() {
        return error.to_string();
    }
    match error.kind() {
        std::io::ErrorKind::UnexpectedEof => "the connection was closed early".to_owned(),
        kind => kind.to_string(),
    }
}

/// A step of making a connection. It records that the earlier steps have ended.
#[derive(Debug)]
pub(super) struct Reached {
    pub(super) phase: Phase,
    pub(super) progress: Progress,
    pub(super) through_proxy: bool,
}

impl<T: Transport> Connector<T> for Reached {
    type Out = T;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        connection: Option<T>,
    ) -> Result<Option<T>, ureq::Error> {
        // The connection to a proxy is made by the same steps. The configuration of the request for it has no proxy.
        let is_to_proxy = self.through_proxy && details.config.proxy().is_none();
        if !is_to_proxy {
            self.progress.at(self.phase);
        }
        Ok(connection)
    }
}
