//! The Python package `jwtauth`: the core's verifier and grants as Python classes.
//!
//! | file | what it does |
//! |---|---|
//! | `verifier` | the class `Verifier`: the core's operations, run without the GIL where they take long |
//! | `deciding` | what its methods have in common: steps, and the fetches between them |
//! | `arguments` | Python arguments → configuration text and [`Request`](jwtauth_core::Request) |
//! | `batch` | the rounds of `authenticate_many` |
//! | `explanation` | the class `Explanation`: a decision with its checks |
//! | `grant` | the class `Grant`: a grant whose Python objects are created on first access |
//! | `parts` | the classes `Identity`, `Entitlement`, `Session` |
//! | `callable` | a function of the application that a verifier keeps |
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
mod grant;
mod json;
mod parts;
mod signal;
mod verifier;

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
    use crate::verifier::Verifier;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        let literal = module.py().import("typing")?.getattr("Literal")?;
        let of = |names: Vec<&str>| literal.get_item(PyTuple::new(module.py(), names)?);
        module.add("__version__", env!("CARGO_PKG_VERSION"))?;
        module.add("Code", of(Code::ALL.iter().map(|code| code.as_str()).collect())?)?;
        let mut stages: Vec<&str> = Vec::new();
        for code in Code::ALL {
            if !stages.contains(&code.stage().as_str()) {
                stages.push(code.stage().as_str());
            }
        }
        module.add("Stage", of(stages)?)?;
        let kinds = EntitlementKind::ALL.iter().map(|kind| kind.as_str()).collect();
        module.add("EntitlementKind", of(kinds)?)
    }
}
