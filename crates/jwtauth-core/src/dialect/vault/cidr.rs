//! Networks in Vault's syntax.

use std::net::{IpAddr, SocketAddr};

use ipnet::IpNet;

use crate::dialect::network::unmapped;

/// Reads a network, an address, or an address with a port, which is ignored. Host bits may be set.
///
/// Returns `None` for anything else. Vault reads some such texts as the path of a UNIX socket, which would deny every
/// login. A host name would require a DNS lookup.
pub(super) fn network(text: &str) -> Option<IpNet> {
    let network = text
        .parse::<IpNet>()
        .ok()
        .or_else(|| address(text).map(IpNet::from))?;
    unmapped(network)
}

fn address(text: &str) -> Option<IpAddr> {
    let with_port = || text.parse::<SocketAddr>().ok().map(|socket| socket.ip());
    text.parse::<IpAddr>().ok().or_else(with_port)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_networks_are_read() {
        for (text, expected) in [
            ("10.0.0.0/8", "10.0.0.0/8"),
            ("127.0.0.1/8", "127.0.0.1/8"),
            ("10.1.2.3", "10.1.2.3/32"),
            ("10.1.2.3:443", "10.1.2.3/32"),
            ("2001:db8::/32", "2001:db8::/32"),
            ("2001:db8::1", "2001:db8::1/128"),
            ("[2001:db8::1]:443", "2001:db8::1/128"),
            ("::ffff:10.1.2.3", "10.1.2.3/32"),
            ("::ffff:10.0.0.0/104", "10.0.0.0/8"),
        ] {
            assert_eq!(network(text), Some(expected.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn other_texts_are_not_networks() {
        for text in [
            "",
            "300.1.1.1/24",
            "10.0.0.0/33",
            "/var/run/socket",
            ".",
            "example.com:443",
            "10.0.0",
            "10.0.0.0/-1",
            "::ffff:10.0.0.0/95",
        ] {
            assert_eq!(network(text), None, "{text}");
        }
    }
}
