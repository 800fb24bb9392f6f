//! Lookups of host names.
//!
//! The system's resolver has no deadline. A name is therefore looked up on a separate thread, which ends with the
//! lookup (`docs/decisions/0011-…`). Addresses and `localhost` need no lookup.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use arc_swap::ArcSwapOption;
use ureq::Error;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

use super::progress::Progress;
use crate::sources::fetch::Phase;

/// The lookups of one client: at most one at a time.
#[derive(Debug, Clone, Default)]
pub(super) struct Lookups {
    /// The lookup that has not ended. A fetch for the same name waits for it instead of starting another one, for a
    /// limited time.
    pending: Arc<ArcSwapOption<Lookup>>,
}

impl Lookups {
    /// Makes the resolver of one request.
    pub(super) fn resolver(&self, progress: Progress) -> impl Resolver + use<> {
        Tracked {
            lookups: self.clone(),
            progress,
        }
    }

    fn addresses(&self, host: &str, port: u16, deadline: Option<Instant>) -> Result<Vec<SocketAddr>, Failed> {
        let at = |addresses: &[IpAddr]| addresses.iter().map(|one| SocketAddr::new(*one, port)).collect();
        let host = host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'))
            .unwrap_or(host);
        if let Ok(address) = host.parse::<IpAddr>() {
            return Ok(at(&[address]));
        }
        // Plain http is allowed for `localhost` because it is this machine, so a name server must not decide about it
        // (RFC 6761 §6.3).
        if host.eq_ignore_ascii_case("localhost") {
            return Ok(at(&[Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]));
        }
        let lookup = self.lookup(host, port);
        let found = loop {
            if let Some(found) = lookup.found.get() {
                break found.clone();
            }
            if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                return Err(Failed::TooLate);
            }
            thread::sleep(STEP);
        };
        self.pending.store(None);
        found.map_err(Failed::System)
    }

    fn lookup(&self, host: &str, port: u16) -> Arc<Lookup> {
        let process = std::process::id();
        // A lookup that began before a fork ends only in the parent.
        let same = |one: &Arc<Lookup>| {
            one.process == process && one.host == host && one.port == port && one.started.elapsed() < GIVEN_UP
        };
        if let Some(pending) = self.pending.load_full().filter(same) {
            return pending;
        }
        let lookup = Arc::new(Lookup {
            process,
            host: host.to_owned(),
            port,
            started: Instant::now(),
            found: OnceLock::new(),
        });
        self.pending.store(Some(Arc::clone(&lookup)));
        let theirs = Arc::clone(&lookup);
        let thread = thread::Builder::new().name("jwtauth-dns".to_owned());
        if thread.spawn(move || theirs.run()).is_err() {
            // If no thread can be started, the lookup takes as long as the system allows.
            lookup.run();
        }
        lookup
    }
}

#[derive(Debug)]
struct Lookup {
    process: u32,
    host: String,
    port: u16,
    started: Instant,
    found: OnceLock<Result<Vec<SocketAddr>, String>>,
}

impl Lookup {
    fn run(&self) {
        let found = (self.host.as_str(), self.port).to_socket_addrs();
        let found = found.map(Iterator::collect).map_err(|why| why.to_string());
        // A lookup runs once, so nothing is set yet.
        let _ = self.found.set(found);
    }
}

enum Failed {
    TooLate,
    System(String),
}

/// The resolver of one request.
#[derive(Debug)]
struct Tracked {
    lookups: Lookups,
    progress: Progress,
}

impl Resolver for Tracked {
    fn resolve(&self, uri: &Uri, _: &Config, timeout: NextTimeout) -> Result<ResolvedSocketAddrs, Error> {
        self.progress.at(Phase::Dns);
        let host = uri.host().ok_or(Error::HostNotFound)?;
        let port = uri.port_u16().unwrap_or(match uri.scheme_str() {
            Some("https") => 443,
            _ => 80,
        });
        let deadline = (!timeout.after.is_not_happening())
            .then(|| Instant::now().checked_add(*timeout.after))
            .flatten();
        let found = self
            .lookups
            .addresses(host, port, deadline)
            .map_err(|failed| match failed {
                Failed::TooLate => Error::Timeout(timeout.reason),
                Failed::System(why) => Error::Other(why.into()),
            })?;
        let mut addresses = self.empty();
        // There is room for sixteen addresses.
        for address in found.into_iter().take(16) {
            addresses.push(address);
        }
        if addresses.is_empty() {
            return Err(Error::HostNotFound);
        }
        self.progress.at(Phase::Connect);
        Ok(addresses)
    }
}

const STEP: Duration = Duration::from_millis(1);
/// The age at which a pending lookup is abandoned. It is longer than resolvers with common settings keep trying.
const GIVEN_UP: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;

    /// A name that the system refuses without asking a name server: a label has at most 63 bytes (RFC 1035 §2.3.4).
    const IMPOSSIBLE: &str = "jwtauth-a-label-of-more-than-sixty-three-bytes-which-cannot-exist.invalid";

    fn pending(lookups: &Lookups, process: u32, started: Instant) -> Arc<Lookup> {
        let lookup = Arc::new(Lookup {
            process,
            host: IMPOSSIBLE.to_owned(),
            port: 80,
            started,
            found: OnceLock::new(),
        });
        lookups.pending.store(Some(Arc::clone(&lookup)));
        lookup
    }

    #[test]
    fn addresses_and_localhost_are_not_looked_up() {
        let lookups = Lookups::default();
        let found = |host| lookups.addresses(host, 80, None).ok().unwrap();
        assert_eq!(found("192.0.2.1"), ["192.0.2.1:80".parse().unwrap()]);
        assert_eq!(found("[2001:db8::1]"), ["[2001:db8::1]:80".parse().unwrap()]);
        assert_eq!(
            found("LocalHost"),
            ["127.0.0.1:80".parse().unwrap(), "[::1]:80".parse().unwrap()]
        );
        assert!(lookups.pending.load().is_none());
    }

    #[test]
    fn a_name_that_does_not_exist_is_reported() {
        let lookups = Lookups::default();
        let failed = lookups.addresses(IMPOSSIBLE, 80, None);
        assert!(matches!(failed, Err(Failed::System(_))));
        assert!(lookups.pending.load().is_none());
    }

    #[test]
    fn a_hanging_lookup_is_awaited_until_the_deadline_and_not_started_twice() {
        let lookups = Lookups::default();
        let now = Instant::now();
        let lookup = pending(&lookups, std::process::id(), now);
        let failed = lookups.addresses(IMPOSSIBLE, 80, Some(now));
        assert!(matches!(failed, Err(Failed::TooLate)));
        let same = lookups.pending.load_full().unwrap();
        assert!(
            Arc::ptr_eq(&same, &lookup),
            "the next fetch waits for the same lookup"
        );
        thread::scope(|scope| {
            let waiting = scope.spawn(|| lookups.addresses(IMPOSSIBLE, 80, None));
            let address: SocketAddr = "192.0.2.1:80".parse().unwrap();
            lookup.found.set(Ok(vec![address])).unwrap();
            // A new lookup would fail.
            assert_eq!(waiting.join().unwrap().ok().unwrap(), [address]);
        });
        assert!(lookups.pending.load().is_none());
    }

    #[test]
    fn a_lookup_of_the_parent_process_or_one_that_never_ends_is_abandoned() {
        let (now, process) = (Instant::now(), std::process::id());
        let long_ago = now.checked_sub(GIVEN_UP).unwrap();
        for (process, started) in [(process.wrapping_add(1), now), (process, long_ago)] {
            let lookups = Lookups::default();
            pending(&lookups, process, started);
            let found = lookups.addresses(IMPOSSIBLE, 80, None);
            assert!(matches!(found, Err(Failed::System(_))));
        }
    }
}
