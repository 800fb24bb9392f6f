//! How does a host fetch keys with an HTTP client of its own?

#![expect(
    unsafe_code,
    reason = "exported functions; the host's callbacks are called from here"
)]

use std::ffi::{CString, c_char, c_int, c_void};
use std::mem::MaybeUninit;
use std::sync::OnceLock;

use jwtauth_core::fetch::{Fetch, FetchFailed, FetchRequest, Fetched, Phase};
use jwtauth_core::{Code, Error, Result, wire};

use crate::guard;
use crate::status::Status;

/// What a host does for a verifier. Begin with `jwtauth_callbacks callbacks = {sizeof callbacks, NULL, NULL, NULL};`.
/// Members may be added at the end; `size` tells the library which there are.
///
/// No callback may throw an exception, or leave by longjmp; that ends the process. No callback may free the verifier.
#[repr(C)]
#[derive(Debug)]
pub struct Callbacks {
    /// `sizeof(jwtauth_callbacks)`.
    pub size: usize,
    /// Handed to the callbacks as it is. It is used by whatever thread authenticates, by several at once if the
    /// verifier has several key sources.
    pub user: *mut c_void,
    /// Fetches one document and answers by jwtauth_fetch_respond or jwtauth_fetch_fail, once, before it returns. NULL:
    /// the library's own client fetches.
    ///
    /// It runs on the thread that authenticates, one call at a time for each key source. `request_json` has `url`,
    /// `headers` to send, `timeout_ms` and `max_bytes`; it and `fetch` are there until the callback returns.
    pub fetch: Option<
        unsafe extern "C-unwind" fn(user: *mut c_void, request_json: *const c_char, fetch: *mut Answer),
    >,
    /// Called once with `user`, when it is not needed any more: by jwtauth_verifier_free, or before
    /// jwtauth_verifier_new_with returns anything but JWTAUTH_STATUS_OK. May be NULL.
    pub release: Option<unsafe extern "C-unwind" fn(user: *mut c_void)>,
}

/// One fetch that a callback is to answer. It may be answered by another thread, while the callback waits for it.
#[derive(Debug)]
pub struct Answer {
    max_bytes: u64,
    given: OnceLock<std::result::Result<Fetched, FetchFailed>>,
    /// What was wrong with the first answer that could not be taken.
    refused: OnceLock<String>,
}

/// Answers a fetch with what a server said.
///
/// A body beyond `max_bytes` is a failed fetch, and so is every status but 200 and 304. The library follows no
/// redirects for a callback.
///
/// @param fetch What the callback was given.
/// @param status The status, 100 to 599.
/// @param headers_json The headers as an object of names to a string or a list of strings; NULL for none. All may be
/// there; `Cache-Control`, `Expires`, `ETag` and `Last-Modified` are used, in any case.
/// @param body The body; NULL if `body_len` is 0. It is copied.
/// @param body_len Its length in bytes.
/// @return JWTAUTH_STATUS_OK if this is the answer; _ARGUMENT if it cannot be taken, or there is one already, which
/// stays; _INTERNAL.
///
/// # Safety
/// `fetch` is NULL or what the running callback was given; `headers_json` is NULL or a NUL-terminated string; `body`
/// is NULL or `body_len` bytes long.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn jwtauth_fetch_respond(
    fetch: *mut Answer,
    status: c_int,
    headers_json: *const c_char,
    body: *const c_void,
    body_len: usize,
) -> Status {
    given(wire::guarded(|| {
        // SAFETY: the caller's promise.
        let answer = unsafe { guard::borrowed("fetch", fetch) }?;
        answer.give(|| {
            let headers = if headers_json.is_null() {
                None
            } else {
                // SAFETY: the caller's promise.
                Some(unsafe { guard::text("headers_json", headers_json) }?)
            };
            if body.is_null() && body_len > 0 {
                return Err(guard::null("body"));
            }
            // What is no number of a status at all is refused with the other wrong ones.
            let status = u16::try_from(status).unwrap_or(0);
            let mut fetched = wire::fetch::answer(status, headers, Vec::new())?;
            if status != 200 || body_len == 0 {
                return Ok(Ok(fetched));
            }
            if body_len as u64 > answer.max_bytes || isize::try_from(body_len).is_err() {
                let reason = format!("a body of more than {} bytes", answer.max_bytes);
                let mut failed = FetchFailed::new(Phase::Http, reason);
                failed.status = Some(status);
                failed.bytes_read = body_len as u64;
                return Ok(Err(failed));
            }
            // SAFETY: the caller's promise; not NULL, and not longer than anything can be.
            let body = unsafe { std::slice::from_raw_parts(body.cast::<u8>(), body_len) };
            fetched.body = body.to_vec();
            Ok(Ok(fetched))
        })
    }))
}

/// Answers a fetch that failed.
///
/// @param fetch What the callback was given.
/// @param phase How far it came: "dns", "connect", "tls", "http" or "parse".
/// @param reason Why, for people; it goes into `detail`. Its beginning is kept, in one line. Leave out what a server
/// sent, and what is secret.
/// @return JWTAUTH_STATUS_OK if this is the answer; _ARGUMENT if it cannot be taken, or there is one already, which
/// stays; _INTERNAL.
///
/// # Safety
/// `fetch` is NULL or what the running callback was given; `phase` and `reason` are NULL or NUL-terminated strings.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn jwtauth_fetch_fail(
    fetch: *mut Answer,
    phase: *const c_char,
    reason: *const c_char,
) -> Status {
    given(wire::guarded(|| {
        // SAFETY: the caller's promise.
        let answer = unsafe { guard::borrowed("fetch", fetch) }?;
        answer.give(|| {
            // SAFETY: the caller's promise.
            let (phase, reason) = unsafe { (guard::text("phase", phase)?, guard::text("reason", reason)?) };
            let phase = Phase::parse(phase).ok_or_else(|| {
                let names = Phase::ALL.map(Phase::as_str).join(", ");
                Error::new(Code::RequestInvalid).with_detail(format!("`phase` must be one of {names}"))
            })?;
            Ok(Err(FetchFailed::new(phase, reason)))
        })
    }))
}

type Given = std::result::Result<Fetched, FetchFailed>;

impl Answer {
    fn new(max_bytes: u64) -> Answer {
        Answer {
            max_bytes,
            given: OnceLock::new(),
            refused: OnceLock::new(),
        }
    }

    /// Keeps an answer, if it is one and the first.
    fn give(&self, answer: impl FnOnce() -> Result<Given>) -> Result<()> {
        let again = |_| Error::new(Code::RequestInvalid).with_detail("there is an answer already");
        let kept = answer().and_then(|answer| self.given.set(answer).map_err(again));
        kept.inspect_err(|why| {
            let _ = self.refused.set(why.detail().unwrap_or_default().to_owned());
        })
    }

    /// What became of the fetch, once the callback has returned.
    fn taken(self) -> Given {
        let none = || match self.refused.get() {
            Some(why) => format!("the callback's answer could not be taken: {why}"),
            None => "the callback gave no answer".to_owned(),
        };
        self.given
            .get()
            .cloned()
            .unwrap_or_else(|| Err(FetchFailed::new(Phase::Http, none())))
    }
}

fn given(outcome: Result<()>) -> Status {
    outcome.map_or_else(|why| Status::of(why.class()), |()| Status::Ok)
}

/// A host's callbacks, and what they work with.
#[derive(Debug)]
pub(crate) struct Host(Callbacks);

// SAFETY: the host promised, by giving them, that its callbacks and `user` may be used by any thread.
unsafe impl Send for Host {}
// SAFETY: the same.
unsafe impl Sync for Host {}

impl Host {
    /// Takes over what a host gave, `user` included, which is released when this is dropped.
    ///
    /// # Errors
    /// [`Code::RequestInvalid`]: a size that is none, or members that this version does not know.
    ///
    /// # Safety
    /// `callbacks` points to as many bytes as its `size` says.
    pub(crate) unsafe fn take(callbacks: *const Callbacks) -> Result<Host> {
        let invalid = |why: &str| Error::new(Code::RequestInvalid).with_detail(format!("`callbacks`: {why}"));
        // SAFETY: the caller's promise; `size` comes first.
        let size = unsafe { callbacks.cast::<usize>().read_unaligned() };
        if !(size_of::<usize>()..=MAX_SIZE).contains(&size) {
            return Err(invalid("`size` is not the size of the structure"));
        }
        let mut known = MaybeUninit::<Callbacks>::zeroed();
        let bytes = callbacks.cast::<u8>();
        // Half a pointer is none.
        let whole = size.min(size_of::<Callbacks>()) / size_of::<usize>() * size_of::<usize>();
        // SAFETY: so many bytes are there, by the caller's promise, and there is room for them.
        unsafe { bytes.copy_to_nonoverlapping(known.as_mut_ptr().cast::<u8>(), whole) };
        // SAFETY: every member is what the host gave, or zero, which is NULL.
        let host = Host(unsafe { known.assume_init() });
        for at in size_of::<Callbacks>()..size {
            // SAFETY: within the size that the caller promised.
            if unsafe { bytes.add(at).read() } != 0 {
                return Err(invalid(
                    "this version of the library does not know all that is in it",
                ));
            }
        }
        Ok(host)
    }

    /// Whether the host fetches.
    pub(crate) fn fetches(&self) -> bool {
        self.0.fetch.is_some()
    }
}

impl Fetch for Host {
    fn get(&self, request: &FetchRequest<'_>) -> Given {
        let cannot = |why: &str| FetchFailed::new(Phase::Http, why);
        let fetch = self.0.fetch.ok_or_else(|| cannot("the host does not fetch"))?;
        // JSON text has no NUL in it.
        let asked =
            CString::new(wire::fetch::request(request)).map_err(|_| cannot("the request has a NUL"))?;
        let answer = Answer::new(request.max_bytes);
        // SAFETY: the host promised that its callback may be called so, on any thread, until it is released.
        unsafe { fetch(self.0.user, asked.as_ptr(), (&raw const answer).cast_mut()) };
        answer.taken()
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        if let Some(release) = self.0.release {
            // SAFETY: the host promised that this may be called once; nothing uses `user` afterwards.
            unsafe { release(self.0.user) };
        }
    }
}

/// More than this is no size but a variable that was never set.
const MAX_SIZE: usize = 4096;
