//! Networks as requests are compared with them.

use ipnet::{IpNet, Ipv4Net};

/// An IPv4 network written as IPv6 (`::ffff:a.b.c.d`) is the IPv4 network, because callers' addresses are
/// compared in this form. `None` if its prefix is shorter than 96: it would contain no IPv4 address.
pub(super) fn unmapped(network: IpNet) -> Option<IpNet> {
    let IpNet::V6(v6) = network else {
        return Some(network);
    };
    let Some(v4) = v6.addr().to_ipv4_mapped() else {
        return Some(network);
    };
    let prefix = v6.prefix_len().checked_sub(96)?;
    Ipv4Net::new(v4, prefix).ok().map(IpNet::V4)
}
