//! Counts for Prometheus. Nothing that a client chooses becomes a label.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::http::StatusCode;

/// What a request was for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Endpoint {
    Auth,
    Vault,
    Consul,
    Own,
    Unknown,
}

impl Endpoint {
    const ALL: [Endpoint; 5] = [
        Endpoint::Auth,
        Endpoint::Vault,
        Endpoint::Consul,
        Endpoint::Own,
        Endpoint::Unknown,
    ];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Endpoint::Auth => "auth",
            Endpoint::Vault => "vault",
            Endpoint::Consul => "consul",
            Endpoint::Own => "own",
            Endpoint::Unknown => "unknown",
        }
    }
}

/// What the server has done since it started.
#[derive(Debug)]
pub(crate) struct Metrics {
    endpoints: [Counts; Endpoint::ALL.len()],
    pub(crate) connections: AtomicU64,
    pub(crate) open_connections: AtomicU64,
    pub(crate) failed_handshakes: AtomicU64,
    pub(crate) timed_out: AtomicU64,
    pub(crate) reloads: AtomicU64,
    pub(crate) failed_reloads: AtomicU64,
    pub(crate) store_failures: AtomicU64,
    pub(crate) lost_log_lines: AtomicU64,
}

/// The counts of one endpoint.
#[derive(Debug)]
struct Counts {
    /// By status, from 100 to 599.
    statuses: Box<[AtomicU64]>,
    /// By the limits of `SECONDS`; the last one has no limit.
    durations: [AtomicU64; SECONDS.len() + 1],
    micros: AtomicU64,
}

impl Default for Metrics {
    fn default() -> Metrics {
        Metrics {
            endpoints: std::array::from_fn(|_| Counts {
                statuses: (0..STATUSES).map(|_| AtomicU64::new(0)).collect(),
                durations: Default::default(),
                micros: AtomicU64::new(0),
            }),
            connections: AtomicU64::default(),
            open_connections: AtomicU64::default(),
            failed_handshakes: AtomicU64::default(),
            timed_out: AtomicU64::default(),
            reloads: AtomicU64::default(),
            failed_reloads: AtomicU64::default(),
            store_failures: AtomicU64::default(),
            lost_log_lines: AtomicU64::default(),
        }
    }
}

/// Counts one.
pub(crate) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

impl Metrics {
    /// Counts an answered request.
    pub(crate) fn answered(&self, endpoint: Endpoint, status: StatusCode, took: Duration) {
        let Some(counts) = self.endpoints.get(endpoint as usize) else {
            return;
        };
        let index = usize::from(status.as_u16()).wrapping_sub(100);
        if let Some(counter) = counts.statuses.get(index) {
            count(counter);
        }
        let seconds = took.as_secs_f64();
        let slot = SECONDS.iter().position(|limit| seconds <= *limit);
        if let Some(counter) = counts.durations.get(slot.unwrap_or(SECONDS.len())) {
            count(counter);
        }
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        counts.micros.fetch_add(micros, Ordering::Relaxed);
    }

    /// The counts in the text format of Prometheus.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let mut write = |line: std::fmt::Arguments<'_>| {
            // INVARIANT: writing to a string does not fail.
            let _ = writeln!(text, "{line}");
        };
        write(format_args!(
            "# HELP jwtauth_requests_total Answered requests.\n# TYPE jwtauth_requests_total counter"
        ));
        for (endpoint, counts) in Endpoint::ALL.iter().zip(&self.endpoints) {
            for (status, counter) in (100..).zip(&counts.statuses) {
                let number = read(counter);
                if number > 0 {
                    let endpoint = endpoint.as_str();
                    write(format_args!(
                        "jwtauth_requests_total{{endpoint=\"{endpoint}\",status=\"{status}\"}} {number}"
                    ));
                }
            }
        }
        write(format_args!(
            "# HELP jwtauth_request_seconds How long requests took.\n# TYPE jwtauth_request_seconds histogram"
        ));
        for (endpoint, counts) in Endpoint::ALL.iter().zip(&self.endpoints) {
            let endpoint = endpoint.as_str();
            let mut sum = 0;
            let limits = SECONDS.iter().map(f64::to_string).chain(["+Inf".to_owned()]);
            for (limit, counter) in limits.zip(&counts.durations) {
                sum += read(counter);
                write(format_args!(
                    "jwtauth_request_seconds_bucket{{endpoint=\"{endpoint}\",le=\"{limit}\"}} {sum}"
                ));
            }
            let micros = Duration::from_micros(read(&counts.micros)).as_secs_f64();
            write(format_args!(
                "jwtauth_request_seconds_sum{{endpoint=\"{endpoint}\"}} {micros}"
            ));
            write(format_args!(
                "jwtauth_request_seconds_count{{endpoint=\"{endpoint}\"}} {sum}"
            ));
        }
        for (name, kind, help, counter) in [
            (
                "connections_total",
                "counter",
                "Accepted connections.",
                &self.connections,
            ),
            (
                "open_connections",
                "gauge",
                "Open connections.",
                &self.open_connections,
            ),
            (
                "failed_handshakes_total",
                "counter",
                "Failed TLS handshakes.",
                &self.failed_handshakes,
            ),
            (
                "timeouts_total",
                "counter",
                "Requests that were not answered in time.",
                &self.timed_out,
            ),
            (
                "reloads_total",
                "counter",
                "Reloads of the configuration.",
                &self.reloads,
            ),
            (
                "failed_reloads_total",
                "counter",
                "Reloads that kept the old configuration.",
                &self.failed_reloads,
            ),
            (
                "store_failures_total",
                "counter",
                "Failures of the stores.",
                &self.store_failures,
            ),
            (
                "lost_log_lines_total",
                "counter",
                "Lines of the access log that were lost.",
                &self.lost_log_lines,
            ),
        ] {
            let value = read(counter);
            write(format_args!(
                "# HELP jwtauth_{name} {help}\n# TYPE jwtauth_{name} {kind}\njwtauth_{name} {value}"
            ));
        }
        text
    }
}

const STATUSES: usize = 500;
/// The limits of the histogram.
const SECONDS: [f64; 8] = [0.0001, 0.0005, 0.001, 0.005, 0.025, 0.1, 1.0, 10.0];
