//! The address of the client, which trusted proxies report.

use std::net::IpAddr;

use axum::http::HeaderMap;
use ipnet::IpNet;

use crate::settings::Invalid;

/// Who may report the address of a client in `X-Forwarded-For`.
#[derive(Debug, Default)]
pub(crate) struct Trusted {
    networks: Vec<IpNet>,
    /// Whether connections to a UNIX socket come from a proxy.
    unix: bool,
}

impl Trusted {
    /// Reads networks, addresses, and the word `unix`.
    pub(crate) fn read(texts: &[String]) -> Result<Trusted, Invalid> {
        let mut trusted = Trusted::default();
        for text in texts {
            if text == "unix" {
                trusted.unix = true;
                continue;
            }
            let network = text.parse::<IpNet>().ok();
            let network = network.or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from));
            trusted.networks.push(network.ok_or_else(|| {
                Invalid::new(format!(
                    "`server.trusted_proxies`: `{text}` is not a network such as `10.0.0.0/8`, and not `unix`"
                ))
            })?);
        }
        Ok(trusted)
    }

    /// The address of a client that may have connected itself. `None`: it is not known.
    pub(crate) fn client(&self, peer: Option<IpAddr>, headers: &HeaderMap) -> Option<IpAddr> {
        let peer = peer.map(|peer| peer.to_canonical());
        if self.is_proxy(peer) {
            // Without the header, a trusted proxy hides the client. Its own address must not stand for it.
            return self.reported(headers);
        }
        peer
    }

    /// The address of the client that a proxy asks about. `None`: no trusted proxy has reported it. The address of the
    /// connection is always that of the proxy.
    pub(crate) fn behind_proxy(&self, peer: Option<IpAddr>, headers: &HeaderMap) -> Option<IpAddr> {
        let peer = peer.map(|peer| peer.to_canonical());
        self.is_proxy(peer).then(|| self.reported(headers)).flatten()
    }

    /// Whether a connection comes from a trusted proxy. `None` is a UNIX socket.
    fn is_proxy(&self, peer: Option<IpAddr>) -> bool {
        peer.map_or(self.unix, |peer| self.is_trusted(peer))
    }

    fn is_trusted(&self, address: IpAddr) -> bool {
        self.networks.iter().any(|network| network.contains(&address))
    }

    /// The last address in `X-Forwarded-For` that is not of a trusted proxy.
    fn reported(&self, headers: &HeaderMap) -> Option<IpAddr> {
        let mut last = None;
        let lines: Vec<_> = headers.get_all("x-forwarded-for").iter().collect();
        for line in lines.into_iter().rev() {
            // What a proxy did not write as an address hides who came before it.
            let Ok(line) = line.to_str() else { return None };
            for text in line.rsplit(',') {
                let address = address(text.trim())?;
                last = Some(address);
                if !self.is_trusted(address) {
                    return last;
                }
            }
        }
        last
    }
}

/// Reads an address, with or without a port.
fn address(text: &str) -> Option<IpAddr> {
    let socket = || text.parse::<std::net::SocketAddr>().map(|socket| socket.ip());
    let address = text.parse::<IpAddr>().or_else(|_| socket()).ok()?;
    Some(address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(trusted: &[&str], peer: Option<&str>, forwarded: &[&str]) -> Option<String> {
        let trusted: Vec<_> = trusted.iter().map(|text| (*text).to_owned()).collect();
        let mut headers = HeaderMap::new();
        for line in forwarded {
            headers.append("x-forwarded-for", line.parse().unwrap());
        }
        let peer = peer.map(|peer| peer.parse().unwrap());
        let trusted = Trusted::read(&trusted).unwrap();
        let (client, behind) = (
            trusted.client(peer, &headers),
            trusted.behind_proxy(peer, &headers),
        );
        // They differ only where the client is the other end of the connection.
        assert!(behind == client || behind.is_none() && client == peer);
        client.map(|client| client.to_string())
    }

    #[test]
    fn the_address_of_a_proxy_never_stands_for_that_of_the_client() {
        let peer = Some(IpAddr::from([127, 0, 0, 1]));
        let trusted = |texts: &[&str]| {
            let texts: Vec<_> = texts.iter().map(|text| (*text).to_owned()).collect();
            Trusted::read(&texts).unwrap()
        };
        let mut headers = HeaderMap::new();
        headers.append("x-forwarded-for", "1.2.3.4".parse().unwrap());
        assert_eq!(trusted(&[]).behind_proxy(peer, &headers), None);
        assert_eq!(
            trusted(&["127.0.0.1"]).behind_proxy(peer, &headers),
            Some(IpAddr::from([1, 2, 3, 4]))
        );
        assert_eq!(
            trusted(&["127.0.0.1"]).behind_proxy(peer, &HeaderMap::new()),
            None
        );
    }

    #[test]
    fn only_trusted_proxies_report_addresses() {
        let seen = |trusted: &[&str], forwarded: &[&str]| client(trusted, Some("10.0.0.1"), forwarded);
        assert_eq!(seen(&[], &["1.2.3.4"]).as_deref(), Some("10.0.0.1"));
        assert_eq!(seen(&["10.0.0.0/8"], &["1.2.3.4"]).as_deref(), Some("1.2.3.4"));
        assert_eq!(
            seen(&["10.0.0.1"], &["6.6.6.6, 1.2.3.4, 10.0.0.1"]).as_deref(),
            Some("1.2.3.4")
        );
        assert_eq!(
            seen(&["10.0.0.1"], &["6.6.6.6", "1.2.3.4:99"]).as_deref(),
            Some("1.2.3.4")
        );
        assert_eq!(seen(&["10.0.0.0/8"], &["10.9.9.9"]).as_deref(), Some("10.9.9.9"));
        assert_eq!(seen(&["10.0.0.0/8"], &["1.2.3.4, unknown"]), None);
        assert_eq!(seen(&["10.0.0.0/8"], &[]), None);
        assert_eq!(client(&[], None, &["1.2.3.4"]), None);
        assert_eq!(client(&["unix"], None, &["1.2.3.4"]).as_deref(), Some("1.2.3.4"));
        assert_eq!(client(&["unix"], None, &[]), None);
    }
}
