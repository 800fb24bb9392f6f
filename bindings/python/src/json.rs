//! JSON text → Python objects.

use jiter::{FloatMode, PartialMode, PythonParse, StringCacheMode};
use jwtauth_core::{Code, Error};
use pyo3::prelude::*;

use crate::error::attached;

/// Reads JSON that the library wrote, as `json.loads` does: integers of any size, floats as doubles.
pub(crate) fn load<'py>(py: Python<'py>, document: &str) -> PyResult<Bound<'py, PyAny>> {
    let reader = PythonParse {
        allow_inf_nan: false,
        cache_mode: StringCacheMode::Keys,
        partial_mode: PartialMode::Off,
        // The core has already refused duplicate member names.
        catch_duplicate_keys: false,
        float_mode: FloatMode::Float,
    };
    attached(py, || {
        let unreadable =
            |_| Error::new(Code::InternalError).with_detail("the JSON of the library cannot be read");
        reader.python_parse(py, document.as_bytes()).map_err(unreadable)
    })
}
