//! The examples of the page: those of the repository, with the key in the configuration, because the playground reads no
//! files.

use serde::Serialize;

/// The examples, in the order of the page.
#[derive(Serialize)]
pub(super) struct Examples {
    configs: [Config; 4],
    token: &'static str,
    claims: &'static str,
}

#[derive(Serialize)]
struct Config {
    name: &'static str,
    text: &'static str,
}

/// Every example. The token and the claims are for all of them.
pub(super) fn all() -> Examples {
    let config = |name, text| Config { name, text };
    Examples {
        configs: [
            config("Grafana", include_str!("examples/grafana.ini")),
            config("Consul", include_str!("examples/consul.json")),
            config("Vault", include_str!("examples/vault.json")),
            config("Native", include_str!("examples/native.json")),
        ],
        token: include_str!("examples/token.txt").trim_ascii_end(),
        claims: include_str!("examples/claims.json"),
    }
}
