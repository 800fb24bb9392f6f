//! Networks in the form in which they are compared with the addresses of callers.

use ipnet::{IpNet, Ipv4Net};

/// Converts an IPv4 network written as IPv6 (`::ffff:a.b.c.d`) to the IPv4 network, because requests are compared with
/// networks in this form. `None` if the prefix is shorter than 96: the network could not match an IPv4 address.
pub(crate) fn unmapped(network: IpNet) -> Option<IpNet> {
    let IpNet::V6(v6) = network else {
        return Some(network);
    };
    let Some(v4) = v6.addr().to_ipv4_mapped() else {
        return Some(network);
    };
    let prefix = v6.prefix_len().checked_sub(96)?;
    Ipv4Net::new(v4, prefix).ok().map(IpNet::V4)
}
