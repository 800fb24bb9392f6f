//! Networks in Vault's syntax.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use ipnet::IpNet;

use crate::network::{self, unmapped};

/// A network, and how Vault writes it: an address without its prefix, canonical, with the port if there is one.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Network {
    pub(super) network: IpNet,
    pub(super) written: String,
}

/// Reads a network, an address, or an address with a port, which is ignored. Host bits may be set.
///
/// Returns `None` for anything else. Vault reads some such texts as the path of a UNIX socket, which would deny every
/// login. A host name would require a DNS lookup.
pub(super) fn network(text: &str) -> Option<Network> {
    if let Ok(socket) = text.parse::<SocketAddr>() {
        let address = socket.ip().to_canonical();
        let written = match socket.port() {
            0 => address.to_string(),
            port => SocketAddr::new(address, port).to_string(),
        };
        return Some(Network {
            network: IpNet::from(address),
            written,
        });
    }
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
    let address = || match bare {
        // In brackets, Vault keeps an IPv4 address as IPv6, which then matches no caller.
        Some(bare) => {
            let address = bare.parse::<Ipv6Addr>().ok();
            address
                .filter(|address| address.to_ipv4_mapped().is_none())
                .map(IpAddr::V6)
        }
        None => text.parse::<IpAddr>().ok(),
    };
    let network = network::parse(text).or_else(|| address().map(IpNet::from))?;
    let network = unmapped(network)?;
    let written = if network.prefix_len() == network.max_prefix_len() {
        network.addr().to_string()
    } else {
        network.to_string()
    };
    Some(Network { network, written })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_networks_are_read() {
        for (text, expected, written) in [
            ("10.0.0.0/8", "10.0.0.0/8", "10.0.0.0/8"),
            ("0.0.0.0/0", "0.0.0.0/0", "0.0.0.0/0"),
            ("127.0.0.1/8", "127.0.0.1/8", "127.0.0.1/8"),
            ("10.1.2.3", "10.1.2.3/32", "10.1.2.3"),
            ("10.1.2.3/32", "10.1.2.3/32", "10.1.2.3"),
            ("10.1.2.3:443", "10.1.2.3/32", "10.1.2.3:443"),
            ("10.1.2.3:0", "10.1.2.3/32", "10.1.2.3"),
            ("2001:db8::/32", "2001:db8::/32", "2001:db8::/32"),
            ("2001:DB8:0:0::1", "2001:db8::1/128", "2001:db8::1"),
            ("1:0:0:2:0:0:0:3", "1:0:0:2::3/128", "1:0:0:2::3"),
            ("::10.1.2.3", "::a01:203/128", "::a01:203"),
            ("[2001:DB8::1]:443", "2001:db8::1/128", "[2001:db8::1]:443"),
            ("[2001:db8::1]", "2001:db8::1/128", "2001:db8::1"),
            ("::ffff:10.1.2.3", "10.1.2.3/32", "10.1.2.3"),
            ("::ffff:10.1.2.3/128", "10.1.2.3/32", "10.1.2.3"),
            ("::ffff:10.0.0.0/104", "10.0.0.0/8", "10.0.0.0/8"),
        ] {
            let expected = Network {
                network: expected.parse().unwrap(),
                written: written.to_owned(),
            };
            assert_eq!(network(text), Some(expected), "{text}");
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
            "[10.1.2.3]",
            "[::ffff:10.1.2.3]",
            "010.0.0.0/8",
            "010.1.2.3:443",
            "fe80::1%eth0",
        ] {
            assert_eq!(network(text), None, "{text}");
        }
    }
}
