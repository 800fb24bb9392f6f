//! Networks: how their texts are read, and the form in which they are compared with the addresses of callers.

use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net};

/// Reads a network such as `10.0.0.0/8`, as Go does. Host bits may be set.
///
/// The parser of `ipnet` is not used: it accepts numbers with leading zeros, such as `010.0.0.0/8`. The configured
/// systems do not read these as networks. The prefix length has at most three digits, because Vault removes some longer
/// ones.
pub(crate) fn parse(text: &str) -> Option<IpNet> {
    let (address, prefix) = text.split_once('/')?;
    let is_number = (1..=3).contains(&prefix.len()) && prefix.bytes().all(|byte| byte.is_ascii_digit());
    let prefix = prefix.parse().ok().filter(|_| is_number)?;
    IpNet::new(address.parse::<IpAddr>().ok()?, prefix).ok()
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_are_read_as_go_reads_them() {
        for (text, expected) in [
            ("10.0.0.0/8", "10.0.0.0/8"),
            ("10.1.2.3/008", "10.1.2.3/8"),
            ("0.0.0.0/0", "0.0.0.0/0"),
            ("2001:DB8::/032", "2001:db8::/32"),
            ("2001:0db8::1/128", "2001:db8::1/128"),
            ("::ffff:10.0.0.0/104", "::ffff:10.0.0.0/104"),
        ] {
            assert_eq!(parse(text), expected.parse().ok(), "{text}");
        }
        for text in [
            "",
            "10.0.0.0",
            "10.0.0.0/",
            "/8",
            "010.0.0.0/8",
            "10.00.0.0/8",
            "10.0.0.00/8",
            "::ffff:010.0.0.0/104",
            "2001:00db8::/32",
            "10.0.0.0/33",
            "2001:db8::/129",
            "10.0.0.0/264",
            "10.0.0.0/+8",
            "10.0.0.0/-0",
            "10.0.0.0/0008",
            "10.0.0.0/00000000",
            "10.0.0.0/255.0.0.0",
            "10.0.0.0/8/8",
            " 10.0.0.0/8",
            "10.0.0.0/8 ",
            "fe80::1%1/64",
            "[2001:db8::]/32",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
