//! The networks that a session may be used from.

use std::net::{IpAddr, SocketAddr};

/// Reads the address of a caller: an IP address, with or without a port. `None` for any other text.
pub fn address(text: &str) -> Option<IpAddr> {
    let socket = || text.parse::<SocketAddr>().map(|socket| socket.ip());
    text.parse().or_else(|_| socket()).ok()
}

/// Whether one of the networks contains the address. Without networks, every address is allowed, also an unknown one.
///
/// A text that is not a network contains no address.
pub(crate) fn allowed(networks: &[String], caller: Option<IpAddr>) -> bool {
    networks.is_empty()
        || caller.is_some_and(|caller| {
            let caller = caller.to_canonical();
            networks
                .iter()
                .any(|network| contains(network, caller) == Some(true))
        })
}

/// Whether a network such as `10.0.0.0/8` or an address contains the address. Bits after the prefix have no meaning.
fn contains(network: &str, caller: IpAddr) -> Option<bool> {
    let (written, prefix) = match network.split_once('/') {
        Some((address, prefix)) => (address.parse::<IpAddr>().ok()?, Some(prefix.parse::<u32>().ok()?)),
        None => (address(network)?, None),
    };
    let address = written.to_canonical();
    let bits = if address.is_ipv4() { 32 } else { 128 };
    // In `::ffff:10.0.0.0/104`, 96 bits stand before the IPv4 address.
    let before = if written == address { 0 } else { 96 };
    let prefix = match prefix {
        None => bits,
        Some(prefix) => prefix.checked_sub(before).filter(|prefix| *prefix <= bits)?,
    };
    let value = |address: IpAddr| match address {
        IpAddr::V4(address) => u128::from(address.to_bits()),
        IpAddr::V6(address) => address.to_bits(),
    };
    let ignored = bits - prefix;
    let start = |address: IpAddr| value(address).checked_shr(ignored).unwrap_or(0);
    Some(address.is_ipv4() == caller.is_ipv4() && start(address) == start(caller))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_contains_the_addresses_with_its_prefix() {
        for (network, caller, expected) in [
            ("10.0.0.0/8", "10.200.1.1", true),
            ("10.9.9.9/8", "10.200.1.1", true),
            ("10.0.0.0/8", "11.0.0.1", false),
            ("10.0.0.0/8", "::ffff:10.1.1.1", true),
            ("::ffff:10.0.0.0/104", "10.1.1.1", true),
            ("::ffff:10.0.0.0/95", "10.1.1.1", false),
            ("10.1.1.1", "10.1.1.1", true),
            ("10.1.1.1:80", "10.1.1.1", true),
            ("10.1.1.1", "10.1.1.2", false),
            ("0.0.0.0/0", "1.2.3.4", true),
            ("0.0.0.0/0", "2001:db8::1", false),
            ("::/0", "2001:db8::1", true),
            ("::/0", "1.2.3.4", false),
            ("2001:db8::/32", "2001:db8:1::1", true),
            ("2001:db8::/32", "2001:db9::1", false),
            ("10.0.0.0/33", "10.0.0.1", false),
            ("10.0.0.0/-1", "10.0.0.1", false),
            ("/run/socket", "10.0.0.1", false),
            ("", "10.0.0.1", false),
        ] {
            let caller = address(caller);
            assert!(caller.is_some());
            assert_eq!(
                allowed(&[network.to_owned()], caller),
                expected,
                "{network} {caller:?}"
            );
        }
    }

    #[test]
    fn an_unknown_address_is_in_no_network() {
        assert!(!allowed(&["0.0.0.0/0".to_owned()], None));
        assert!(allowed(&[], None));
        assert_eq!(address("10.0.0.1:80"), address("10.0.0.1"));
        assert_eq!(address("@socket"), None);
    }
}
