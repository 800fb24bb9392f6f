//! The events of a verifier, recorded with the crate `tracing`.

#![expect(clippy::unwrap_used, reason = "a test that cannot continue fails")]

use std::fmt::{self, Write};
use std::sync::{Arc, Mutex};

use jwtauth_core::events::trace;
use jwtauth_core::fetch::{Fetch, FetchFailed, FetchRequest, Fetched, Phase};
use jwtauth_core::{Monotonic, Request, Verifier};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Metadata, Subscriber};

/// Keeps each event as a line.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<String>>>);

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        write!(self.0, " {}={value:?}", field.name()).unwrap();
    }
}

impl Subscriber for Lines {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        let metadata = event.metadata();
        let mut line = Line(format!("{} {}", metadata.level(), metadata.target()));
        event.record(&mut line);
        self.0.lock().unwrap().push(line.0);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// Cannot reach its server.
#[derive(Debug)]
struct Down;

impl Fetch for Down {
    fn get(&self, _: &FetchRequest<'_>) -> Result<Fetched, FetchFailed> {
        Err(FetchFailed::new(Phase::Connect, "refused"))
    }
}

/// The example of RFC 7515, appendix A.1.
const TOKEN: &str = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

const CONFIG: &str = r#"{"dialect":"native","config":{"keys":[{"secret":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"}],"algorithms":["HS256"],"issuer":"joe","identity":{"name":"iss"}},"options":{"now":1300819379}}"#;

const REMOTE: &str = r#"{"dialect":"native","config":{"keys":[{"jwks_url":"https://issuer.example/keys"}],"algorithms":["RS256"],"issuer":"joe"}}"#;

#[test]
fn events_are_recorded_at_their_levels() {
    let lines = Lines::default();
    tracing::subscriber::with_default(lines.clone(), || {
        let build = |config| {
            let fetch: Arc<dyn Fetch> = Arc::new(Down);
            let builder = Verifier::builder(config).unwrap().fetch(fetch);
            builder
                .monotonic(Monotonic::stopped())
                .on_event(trace)
                .build()
                .unwrap()
        };
        let verifier = build(CONFIG);
        verifier.authenticate(&Request::bearer(TOKEN)).unwrap();
        verifier.authenticate(&Request::bearer("a.b.c")).unwrap_err();
        build(REMOTE).refresh_keys().unwrap_err();
    });
    assert_eq!(
        *lines.0.lock().unwrap(),
        [
            r#"DEBUG jwtauth message=decision outcome="granted" source="keys[0].secret" from_cache=false explained=false duration_ns=0"#,
            r#"WARN jwtauth message=decision outcome="denied" code="token_malformed" stage="decode" from_cache=false explained=false duration_ns=0"#,
            r#"WARN jwtauth message=fetch outcome="failed" source="keys[0].jwks_url" code="key_source_unavailable" phase="connect" duration_ns=0"#,
        ]
    );
}
