//! The Python package `jwtauth`: the core's verifier and grants as Python classes.
//!
//! | file | what it does |
//! |---|---|
//! | `verifier` | the class `Verifier`: the core's operations, run without the GIL where they take long |
//! | `verifier_core` | the core's verifier behind it: its own, or that of sessions |
//! | `deciding` | what its methods have in common: steps, and the fetches between them |
//! | `sessions` | the class `Sessions`: its verbs |
//! | `sessions/verbs` | how a verb runs, with the GIL or without it |
//! | `sessions/{login,info}` | the classes `Login` and `SessionInfo` |
//! | `sessions/issue` | the end of a `login_async` |
//! | `arguments` | Python arguments → configuration text and [`Request`](jwtauth_core::Request) |
//! | `batch` | the rounds of `authenticate_many` |
//! | `explanation` | the class `Explanation`: a decision with its checks |
//! | `grant` | the class `Grant`: a grant whose Python objects are created on first access |
//! | `parts` | the classes `Identity`, `Entitlement`, `Session` |
//! | `callable`, `functions` | the functions of the application that a verifier keeps |
//! | `events` | a Python function that gets events |
//! | `fetch` | a Python function that fetches keys → the core's `Fetch` |
//! | `errand` | steps and fetches for `authenticate_async` and `explain_async` |
//! | `error` | failures → exceptions |
//! | `json` | JSON text → Python objects |

mod arguments;
mod batch;
mod callable;
mod deciding;
mod errand;
mod error;
mod events;
mod explanation;
mod fetch;
mod functions;
mod grant;
mod json;
mod parts;
mod sessions;
mod signal;
mod verifier;
mod verifier_core;

use pyo3::prelude::*;

/// The extension module under `jwtauth`; import `jwtauth` instead.
#[pymodule]
mod _jwtauth {
    use jwtauth_core::{Code, EntitlementKind};
    use pyo3::prelude::*;
    use pyo3::types::PyTuple;

    #[pymodule_export]
    use crate::explanation::Explanation;
    #[pymodule_export]
    use crate::grant::Grant;
    #[pymodule_export]
    use crate::parts::{Entitlement, Identity, Session};
    #[pymodule_export]
    use crate::sessions::Sessions;
    #[pymodule_export]
    use crate::sessions::info::SessionInfo;
    #[pymodule_export]
    use crate::sessions::login::Login;
    #[pymodule_export]
    use crate::verifier::Verifier;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        let literal = module.py().import("typing")?.getattr("Literal")?;
        let of = |names: Vec<&str>| literal.get_item(PyTuple::new(module.py(), names)?);
        module.add("__version__", env!("CARGO_PKG_VERSION"))?;
        let codes = Code::ALL.iter().map(|code| code.as_str());
        let of_sessions = jwtauth_sessions::Code::ALL.iter().map(|code| code.as_str());
        module.add("Code", of(codes.chain(of_sessions).collect())?)?;
        let mut stages: Vec<&str> = Vec::new();
        for code in Code::ALL {
            if !stages.contains(&code.stage().as_str()) {
                stages.push(code.stage().as_str());
            }
        }
        stages.push("session");
        module.add("Stage", of(stages)?)?;
        let kinds = EntitlementKind::ALL.iter().map(|kind| kind.as_str()).collect();
        module.add("EntitlementKind", of(kinds)?)
    }
}
