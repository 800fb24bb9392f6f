//! `jwtauth_options`, and reading it.

#![expect(unsafe_code, reason = "a structure from C is read here")]

use std::ffi::{c_char, c_int};

use jwtauth_core::{Code, Error, Request, Result};

use crate::guard;

/// What the application adds to a token. All of it is trusted: never fill it with data from the client.
///
/// Initialise it with `jwtauth_options options = {sizeof options, NULL, NULL, 0};`. A library that does not know this
/// size refuses it, because it must not ignore an option.
#[repr(C)]
#[derive(Debug)]
pub struct Options {
    /// `sizeof(jwtauth_options)`.
    pub size: usize,
    /// The profile to decide under; NULL or "" for none.
    pub profile: *const c_char,
    /// The caller's address, such as "10.1.2.3" or "2001:db8::1", with or without a port; NULL or "" if it is unknown. It is
    /// used only where the configuration binds networks, and any other text is then denied. Behind a proxy, pass the address
    /// of the client: the library does not read X-Forwarded-For.
    pub remote_addr: *const c_char,
    /// 1: decide with the cached keys, without a fetch and without waiting. 0: fetch keys where they are needed.
    pub cached_only: c_int,
}

/// A request with these options, and without a token.
///
/// # Errors
/// [`Code::RequestInvalid`], [`Code::ArgumentNotUtf8`].
///
/// # Safety
/// `options` is NULL or has as many bytes as its `size` specifies, and its texts are NULL or NUL-terminated strings that
/// do not change during `'a`.
pub(crate) unsafe fn request<'a>(options: *const Options) -> Result<Request<'a>> {
    let mut request = Request::default();
    if options.is_null() {
        return Ok(request);
    }
    // SAFETY: the caller's promise; `size` is the first member in every version.
    let size = unsafe { (&raw const (*options).size).read() };
    // Ignoring a restriction of a later version would be wrong, so only known sizes are accepted.
    if size != size_of::<Options>() {
        let detail = "`options.size` is not the size of jwtauth_options in this version of the library";
        return Err(Error::new(Code::RequestInvalid).with_detail(detail));
    }
    // SAFETY: the caller's promise, and the size is that of the structure.
    let options = unsafe { options.read() };
    // SAFETY: the caller's promise.
    let text = |name, pointer: *const c_char| unsafe { guard::text(name, pointer) };
    if !options.profile.is_null() {
        request = request.profile(text("options.profile", options.profile)?);
    }
    if !options.remote_addr.is_null() {
        request = request.remote_addr_text(text("options.remote_addr", options.remote_addr)?);
    }
    Ok(request.cached_only(options.cached_only != 0))
}
