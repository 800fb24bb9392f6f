//! Reading the arguments of Python callers.
//!
//! Wrong Python types are a `TypeError`, as everywhere in Python. Invalid Unicode is an `ArgumentError`.

use std::collections::BTreeMap;

use jwtauth_core::{Code, Error, Request};
use pyo3::exceptions::{PyRecursionError, PyTypeError, PyUnicodeEncodeError, PyValueError};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{
    IntoPyDict, PyByteArray, PyBytes, PyCFunction, PyDict, PyMapping, PySequence, PyString, PyTuple,
};

use crate::error;

/// The arguments of `authenticate`; a [`Request`] borrows from them.
///
/// They are read once, when the call is made. The caller may change its mapping of headers later, for example for another
/// request, and that must not change what a call decides. Texts cannot change, so they are not copied.
pub(crate) struct Arguments {
    token: Option<Py<PyString>>,
    headers: Vec<(Py<PyString>, Py<PyString>)>,
    url: Option<Py<PyString>>,
    profile: Option<Py<PyString>>,
    remote_addr: Option<Py<PyString>>,
}

/// A Python value, or `None`.
pub(crate) type Given<'a, 'py> = Option<&'a Bound<'py, PyAny>>;

type Text<'py> = Bound<'py, PyString>;

/// The text of an argument. Returns the failure for lone surrogates from the calling function.
macro_rules! given {
    ($py:expr, $text:expr, $name:literal) => {
        match well_formed($text.bind($py), $name)? {
            Ok(text) => text,
            Err(error) => return Ok(Err(error)),
        }
    };
}

impl Arguments {
    /// Checks the types only; the core checks the text.
    pub(crate) fn read(
        token: Given<'_, '_>,
        headers: Given<'_, '_>,
        url: Given<'_, '_>,
        profile: Given<'_, '_>,
        remote_addr: Given<'_, '_>,
    ) -> PyResult<Arguments> {
        let optional = |name, value: Given<'_, '_>| {
            value
                .map(|value| text(value, || format!("{name} must be str")).map(Bound::unbind))
                .transpose()
        };
        Ok(Arguments {
            token: optional("token", token)?,
            headers: headers.map(pairs).transpose()?.unwrap_or_default(),
            url: optional("url", url)?,
            profile: optional("profile", profile)?,
            remote_addr: remote_addr.map(address).transpose()?.map(Bound::unbind),
        })
    }

    /// The request made of these arguments; no text is copied.
    ///
    /// # Errors
    /// `ArgumentError` with the code `argument_not_utf8` for lone surrogates.
    pub(crate) fn request<'a>(&'a self, py: Python<'a>) -> PyResult<Request<'a>> {
        self.well_formed(py)?.map_err(|error| error::raise(py, &error))
    }

    /// The request made of these arguments, or the failure for lone surrogates.
    ///
    /// # Errors
    /// Other exceptions than that.
    pub(crate) fn well_formed<'a>(&'a self, py: Python<'a>) -> PyResult<jwtauth_core::Result<Request<'a>>> {
        let mut headers = Vec::with_capacity(self.headers.len());
        for (name, value) in &self.headers {
            headers.push((given!(py, name, "headers"), given!(py, value, "headers")));
        }
        let mut request = Request::headers(headers);
        if let Some(token) = &self.token {
            request = request.token(given!(py, token, "token"));
        }
        if let Some(url) = &self.url {
            request = request.url(given!(py, url, "url"));
        }
        if let Some(profile) = &self.profile {
            request = request.profile(given!(py, profile, "profile"));
        }
        if let Some(address) = &self.remote_addr {
            request = request.remote_addr_text(given!(py, address, "remote_addr"));
        }
        Ok(Ok(request))
    }

    /// Reports the texts to the garbage collector.
    pub(crate) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        for (name, value) in &self.headers {
            visit.call(name)?;
            visit.call(value)?;
        }
        let others = [&self.token, &self.url, &self.profile, &self.remote_addr];
        others.into_iter().try_for_each(|text| visit.call(text))
    }
}

/// The text of a string argument, without a copy.
///
/// # Errors
/// `ArgumentError` with the code `argument_not_utf8` for lone surrogates.
pub(crate) fn utf8<'a>(text: &'a Bound<'_, PyString>, name: &str) -> PyResult<&'a str> {
    well_formed(text, name)?.map_err(|error| error::raise(text.py(), &error))
}

/// The text of a string argument, or the failure for lone surrogates.
///
/// # Errors
/// Other exceptions than that.
pub(crate) fn well_formed<'a>(
    text: &'a Bound<'_, PyString>,
    name: &str,
) -> PyResult<jwtauth_core::Result<&'a str>> {
    match text.to_str() {
        Ok(text) => Ok(Ok(text)),
        Err(why) if why.is_instance_of::<PyUnicodeEncodeError>(text.py()) => {
            let detail = format!("`{name}` has lone surrogates");
            Ok(Err(Error::new(Code::ArgumentNotUtf8).with_detail(detail)))
        }
        Err(why) => Err(why),
    }
}

/// Texts by name, such as `meta`; `None` is empty.
///
/// # Errors
/// `TypeError` for other types; `ArgumentError` with the code `argument_not_utf8` for lone surrogates.
pub(crate) fn texts(given: Given<'_, '_>, name: &str) -> PyResult<BTreeMap<String, String>> {
    let Some(given) = given else {
        return Ok(BTreeMap::new());
    };
    let must_be = || format!("{name} must be a mapping of str to str");
    let mapping = given
        .cast::<PyMapping>()
        .map_err(|_| wrong_type(&must_be(), given))?;
    let mut texts = BTreeMap::new();
    for item in mapping.items()? {
        let (key, value): (Bound<'_, PyAny>, Bound<'_, PyAny>) = item.extract()?;
        let (key, value) = (text(&key, must_be)?, text(&value, must_be)?);
        texts.insert(utf8(&key, name)?.to_owned(), utf8(&value, name)?.to_owned());
    }
    Ok(texts)
}

/// The arguments of `authenticate_many`; its requests borrow from them.
pub(crate) struct Tokens<'py> {
    tokens: Vec<Text<'py>>,
    others: Arguments,
}

impl<'py> Tokens<'py> {
    /// Reads all tokens, and checks the types only.
    pub(crate) fn read(
        tokens: &Bound<'py, PyAny>,
        profile: Given<'_, 'py>,
        remote_addr: Given<'_, 'py>,
    ) -> PyResult<Tokens<'py>> {
        let must_be = "tokens must be an iterable of str";
        // A string is an iterable too, and its characters would be taken for tokens.
        if tokens.is_instance_of::<PyString>() {
            return Err(wrong_type(must_be, tokens));
        }
        let all = tokens.try_iter().map_err(|_| wrong_type(must_be, tokens))?;
        let token =
            |token: PyResult<Bound<'py, PyAny>>| text(&token?, || "each token must be str".to_owned());
        Ok(Tokens {
            tokens: all.map(token).collect::<PyResult<_>>()?,
            others: Arguments::read(None, None, None, profile, remote_addr)?,
        })
    }

    /// One request for each token. A token that is not Unicode has its failure in its place.
    pub(crate) fn requests<'a>(
        &'a self,
        py: Python<'a>,
        cached_only: bool,
    ) -> PyResult<Vec<jwtauth_core::Result<Request<'a>>>> {
        let request = self.others.request(py)?.cached_only(cached_only);
        let tokens = self.tokens.iter();
        tokens
            .map(|token| Ok(well_formed(token, "token")?.map(|token| request.clone().token(token))))
            .collect()
    }
}

/// The text of a configuration. A mapping is written as JSON.
///
/// # Errors
/// `TypeError` for other types, also inside the mapping; `ConfigError` for values that JSON cannot represent.
pub(crate) fn configuration<'py>(config: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyString>> {
    if let Ok(text) = config.cast::<PyString>() {
        return Ok(text.clone());
    }
    if config.cast::<PyMapping>().is_err() {
        return Err(wrong_type("config must be a mapping or str", config));
    }
    let py = config.py();
    let options = [
        (
            intern!(py, "allow_nan"),
            false.into_pyobject(py)?.to_owned().into_any(),
        ),
        (
            intern!(py, "ensure_ascii"),
            false.into_pyobject(py)?.to_owned().into_any(),
        ),
        (
            intern!(py, "default"),
            PyCFunction::new_closure(py, None, None, plain_dict)?.into_any(),
        ),
    ];
    let text = py.import(intern!(py, "json"))?.call_method(
        intern!(py, "dumps"),
        (config,),
        Some(&options.into_py_dict(py)?),
    );
    match text {
        Ok(text) => Ok(text.cast_into()?),
        Err(why) if why.is_instance_of::<PyValueError>(py) || why.is_instance_of::<PyRecursionError>(py) => {
            let error = Error::new(Code::ConfigInvalid).with_detail("the mapping cannot be written as JSON");
            let refused = error::raise(py, &error);
            refused.set_cause(py, Some(why));
            Err(refused)
        }
        Err(why) => Err(why),
    }
}

/// The `default` function of `json.dumps`: converts any mapping to a dictionary.
fn plain_dict(arguments: &Bound<'_, PyTuple>, _: Option<&Bound<'_, PyDict>>) -> PyResult<Py<PyDict>> {
    let value = arguments.get_item(0)?;
    match value.cast::<PyMapping>() {
        Ok(mapping) => Ok(PyDict::from_sequence(&mapping.items()?.into_any())?.unbind()),
        Err(_) => Err(wrong_type("config may contain only JSON values", &value)),
    }
}

fn pairs<'py>(headers: &Bound<'py, PyAny>) -> PyResult<Vec<(Py<PyString>, Py<PyString>)>> {
    let py = headers.py();
    // A copy of the items, because reading a value may run Python code that changes the mapping.
    let items = match headers.cast_exact::<PyDict>() {
        Ok(dict) => dict.items().into_any(),
        Err(_) if headers.hasattr(intern!(py, "items"))? => headers.call_method0(intern!(py, "items"))?,
        Err(_) => return Err(wrong_type("headers must be a mapping", headers)),
    };
    let mut pairs = Vec::new();
    for item in items.try_iter()? {
        let (name, value): (Bound<'py, PyAny>, Bound<'py, PyAny>) = item?.extract()?;
        let name = text(&name, || "the names of headers must be str".to_owned())?;
        let must_be = || format!("the value of header {name:?} must be str or a sequence of str");
        if value.is_instance_of::<PyString>() {
            let value = text(&value, must_be)?;
            pairs.push((name.unbind(), value.unbind()));
        } else if value.is_instance_of::<PyBytes>()
            || value.is_instance_of::<PyByteArray>()
            || value.cast::<PySequence>().is_err()
        {
            return Err(wrong_type(&must_be(), &value));
        } else {
            for one in value.try_iter()? {
                let one = text(&one?, must_be)?;
                pairs.push((name.clone().unbind(), one.unbind()));
            }
        }
    }
    Ok(pairs)
}

/// A caller's address: text, or one of the `ipaddress` module.
///
/// # Errors
/// `TypeError`.
pub(crate) fn address<'py>(given: &Bound<'py, PyAny>) -> PyResult<Text<'py>> {
    match given.cast::<PyString>() {
        Ok(text) => Ok(text.clone()),
        Err(_) if is_address(given)? => given.str(),
        Err(_) => Err(wrong_type("remote_addr must be str or an IP address", given)),
    }
}

/// Whether this is an address of the `ipaddress` module.
fn is_address(given: &Bound<'_, PyAny>) -> PyResult<bool> {
    let module = given.py().import(intern!(given.py(), "ipaddress"))?;
    let is_a = |class| given.is_instance(&module.getattr(class)?);
    Ok(is_a(intern!(given.py(), "IPv4Address"))? || is_a(intern!(given.py(), "IPv6Address"))?)
}

pub(crate) fn text<'py>(value: &Bound<'py, PyAny>, must_be: impl FnOnce() -> String) -> PyResult<Text<'py>> {
    match value.cast::<PyString>() {
        Ok(text) => Ok(text.clone()),
        Err(_) => Err(wrong_type(&must_be(), value)),
    }
}

fn wrong_type(must_be: &str, value: &Bound<'_, PyAny>) -> PyErr {
    let name = value
        .get_type()
        .name()
        .map(|name| name.to_string())
        .unwrap_or_default();
    PyTypeError::new_err(format!("{must_be}, not {name}"))
}
