//! Fetching keys with the application's HTTP client.

#![expect(
    unsafe_code,
    reason = "exported functions; the host's callbacks are called from here"
)]

use std::ffi::{CString, c_char, c_int, c_void};
use std::mem::MaybeUninit;
use std::sync::{Arc, OnceLock};

use jwtauth_core::events::Event;
use jwtauth_core::fetch::{Fetch, FetchFailed, FetchRequest, Fetched, Phase};
use jwtauth_core::{Code, Error, Result, wire};

use crate::guard;
use crate::status::Status;

/// Functions that the application provides to a verifier or to sessions.
///
/// Initialise it with `jwtauth_callbacks callbacks = {sizeof callbacks, NULL, NULL, NULL, NULL};`. Later versions may add
/// members at the end; `size` tells the library which members exist.
///
/// A callback must not throw an exception or leave by longjmp; that ends the process. A callback must not free the
/// verifier.
#[repr(C)]
#[derive(Debug)]
pub struct Callbacks {
    /// `sizeof(jwtauth_callbacks)`.
    pub size: usize,
    /// Passed unchanged to every callback. Callbacks run on several threads, and concurrently if there are several key
    /// sources, so `user` must be thread-safe.
    pub user: *mut c_void,
    /// Fetches one document. It must call jwtauth_fetch_respond or jwtauth_fetch_fail once before it returns. If it is
    /// NULL, the library's own client fetches.
    ///
    /// It runs on the authenticating thread or, if one call fetches several key sources, on a thread of the library. It
    /// never runs concurrently for one key source. `request_json` contains `url`, `headers` to send, `timeout_ms` and
    /// `max_bytes`. `request_json` and `fetch` are valid until the callback returns.
    pub fetch: Option<
        unsafe extern "C-unwind" fn(user: *mut c_void, request_json: *const c_char, fetch: *mut FetchSlot),
    >,
    /// Called once with `user` when the library no longer needs it: by jwtauth_verifier_free or jwtauth_sessions_free, or by
    /// jwtauth_verifier_new_with or jwtauth_sessions_new_with before it returns a failure. May be NULL.
    pub release: Option<unsafe extern "C-unwind" fn(user: *mut c_void)>,
    /// Gets an event for each decision and for each fetch, for metrics and logs. May be NULL.
    ///
    /// `event_json` is an object with `event`, `outcome`, `duration_ns` and others. It never contains a token or the value of
    /// a claim, and is valid until the callback returns. The callback runs on the thread that decides or fetches, and
    /// concurrently on several threads, so it should not wait. It may use the verifier, but must not free it. It cannot
    /// change a decision.
    pub event: Option<unsafe extern "C-unwind" fn(user: *mut c_void, event_json: *const c_char)>,
}

/// One fetch that a callback must answer. Another thread may answer it while the callback waits for that thread.
#[derive(Debug)]
pub struct FetchSlot {
    max_bytes: u64,
    answer: OnceLock<std::result::Result<Fetched, FetchFailed>>,
    /// Why the first invalid answer was rejected.
    rejected: OnceLock<String>,
}

/// Answers a fetch with a server's response.
///
/// A body longer than `max_bytes` and every status except 200 and 304 make the fetch fail. The library does not follow
/// redirects for a callback.
///
/// @param fetch The `fetch` argument of the callback.
/// @param status The HTTP status, 100 to 599.
/// @param headers_json The headers as a JSON object; each value is a string or a list of strings. NULL for none. Only
/// `Cache-Control`, `Expires`, `ETag`, `Last-Modified` and `Content-Encoding` are used; names are case-insensitive.
/// @param body The decompressed body; NULL if `body_len` is 0. It is copied.
/// @param body_len The length of the body in bytes.
/// @return JWTAUTH_STATUS_OK if the answer is accepted; _ARGUMENT if it is invalid or the fetch already has an answer,
/// which is kept; _INTERNAL.
///
/// # Safety
/// `fetch` is NULL or the argument of the running callback; `headers_json` is NULL or a NUL-terminated string; `body`
/// is NULL or `body_len` bytes long.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn jwtauth_fetch_respond(
    fetch: *mut FetchSlot,
    status: c_int,
    headers_json: *const c_char,
    body: *const c_void,
    body_len: usize,
) -> Status {
    status_of(wire::guarded(|| {
        // SAFETY: the caller's promise.
        let slot = unsafe { guard::borrowed("fetch", fetch) }?;
        slot.fill(|| {
            let headers = if headers_json.is_null() {
                None
            } else {
                // SAFETY: the caller's promise.
                Some(unsafe { guard::text("headers_json", headers_json) }?)
            };
            if body.is_null() && body_len > 0 {
                return Err(guard::null("body"));
            }
            // A number outside `u16` becomes 0, which is rejected like every other invalid status.
            let status = u16::try_from(status).unwrap_or(0);
            let mut fetched = wire::fetch::answer(status, headers, Vec::new())?;
            if status != 200 || body_len == 0 {
                return Ok(Ok(fetched));
            }
            if body_len as u64 > slot.max_bytes || isize::try_from(body_len).is_err() {
                let reason = format!("a body of more than {} bytes", slot.max_bytes);
                let mut failed = FetchFailed::new(Phase::Http, reason);
                failed.status = Some(status);
                failed.bytes_read = body_len as u64;
                return Ok(Err(failed));
            }
            // SAFETY: the caller's promise; not NULL, and not longer than `isize::MAX`.
            let body = unsafe { std::slice::from_raw_parts(body.cast::<u8>(), body_len) };
            fetched.body = body.to_vec();
            Ok(Ok(fetched))
        })
    }))
}

/// Reports that a fetch failed.
///
/// @param fetch The `fetch` argument of the callback.
/// @param phase The phase in which it failed: "dns", "connect", "tls", "http" or "parse".
/// @param reason The reason, for people. It becomes part of `detail`, on one line, and long text is cut off. It must
/// not contain text from the server or secrets.
/// @return JWTAUTH_STATUS_OK if the answer is accepted; _ARGUMENT if it is invalid or the fetch already has an answer,
/// which is kept; _INTERNAL.
///
/// # Safety
/// `fetch` is NULL or the argument of the running callback; `phase` and `reason` are NULL or NUL-terminated strings.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn jwtauth_fetch_fail(
    fetch: *mut FetchSlot,
    phase: *const c_char,
    reason: *const c_char,
) -> Status {
    status_of(wire::guarded(|| {
        // SAFETY: the caller's promise.
        let slot = unsafe { guard::borrowed("fetch", fetch) }?;
        slot.fill(|| {
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

type Outcome = std::result::Result<Fetched, FetchFailed>;

impl FetchSlot {
    fn new(max_bytes: u64) -> FetchSlot {
        FetchSlot {
            max_bytes,
            answer: OnceLock::new(),
            rejected: OnceLock::new(),
        }
    }

    /// Stores the answer if it is valid and the first one.
    fn fill(&self, answer: impl FnOnce() -> Result<Outcome>) -> Result<()> {
        let again = |_| Error::new(Code::RequestInvalid).with_detail("the fetch already has an answer");
        let stored = answer().and_then(|answer| self.answer.set(answer).map_err(again));
        stored.inspect_err(|why| {
            let _ = self.rejected.set(why.detail().unwrap_or_default().to_owned());
        })
    }

    /// The outcome of the fetch after the callback has returned.
    fn into_outcome(self) -> Outcome {
        let missing = || match self.rejected.get() {
            Some(why) => format!("the callback's answer is invalid: {why}"),
            None => "the callback returned without an answer".to_owned(),
        };
        self.answer
            .get()
            .cloned()
            .unwrap_or_else(|| Err(FetchFailed::new(Phase::Http, missing())))
    }
}

fn status_of(outcome: Result<()>) -> Status {
    outcome.map_or_else(|why| Status::of(why.class()), |()| Status::Ok)
}

/// The application's callbacks and their `user` pointer.
#[derive(Debug)]
pub(crate) struct HostCallbacks(Callbacks);

// SAFETY: by passing them, the application promises that any thread may use its callbacks and `user`.
unsafe impl Send for HostCallbacks {}
// SAFETY: as for `Send`.
unsafe impl Sync for HostCallbacks {}

impl HostCallbacks {
    /// Takes ownership of the callbacks and of `user`, which is released when this is dropped. `None` for NULL.
    ///
    /// # Errors
    /// [`Code::RequestInvalid`] if the size is implausible, or if there are members that this version does not know.
    ///
    /// # Safety
    /// `callbacks` is NULL or points to as many bytes as its `size` specifies.
    pub(crate) unsafe fn take(callbacks: *const Callbacks) -> Result<Option<Arc<HostCallbacks>>> {
        if callbacks.is_null() {
            return Ok(None);
        }
        let invalid = |why: &str| Error::new(Code::RequestInvalid).with_detail(format!("`callbacks`: {why}"));
        // SAFETY: the caller's promise; `size` comes first.
        let size = unsafe { callbacks.cast::<usize>().read_unaligned() };
        if !(size_of::<usize>()..=MAX_SIZE).contains(&size) {
            return Err(invalid("`size` is not the size of the structure"));
        }
        let mut known = MaybeUninit::<Callbacks>::zeroed();
        let bytes = callbacks.cast::<u8>();
        // Only whole members are copied: part of a pointer is no pointer.
        let whole = size.min(size_of::<Callbacks>()) / size_of::<usize>() * size_of::<usize>();
        // SAFETY: by the caller's promise there are at least `whole` bytes to read, and `known` has room for them.
        unsafe { bytes.copy_to_nonoverlapping(known.as_mut_ptr().cast::<u8>(), whole) };
        // SAFETY: every member is the application's value, or zero, which is NULL.
        let host = HostCallbacks(unsafe { known.assume_init() });
        for at in size_of::<Callbacks>()..size {
            // SAFETY: within the size that the caller promised.
            if unsafe { bytes.add(at).read() } != 0 {
                return Err(invalid(
                    "it has members that this version of the library does not know",
                ));
            }
        }
        Ok(Some(Arc::new(host)))
    }

    /// Whether the application fetches keys.
    pub(crate) fn fetches(&self) -> bool {
        self.0.fetch.is_some()
    }

    /// Whether the application gets events.
    pub(crate) fn observes(&self) -> bool {
        self.0.event.is_some()
    }

    /// Passes an event to the application.
    pub(crate) fn report(&self, event: &Event<'_>) {
        // JSON text contains no NUL.
        if let (Some(report), Ok(text)) = (self.0.event, CString::new(wire::event(event))) {
            // SAFETY: the application promised that its callback may be called on any thread until it is released.
            unsafe { report(self.0.user, text.as_ptr()) };
        }
    }
}

impl Fetch for HostCallbacks {
    fn get(&self, request: &FetchRequest<'_>) -> Outcome {
        let cannot = |why: &str| FetchFailed::new(Phase::Http, why);
        let fetch = self
            .0
            .fetch
            .ok_or_else(|| cannot("there is no `fetch` callback"))?;
        // JSON text contains no NUL.
        let asked =
            CString::new(wire::fetch::request(request)).map_err(|_| cannot("the request contains a NUL"))?;
        let slot = FetchSlot::new(request.max_bytes);
        // SAFETY: the application promised that its callback may be called on any thread until it is released.
        unsafe { fetch(self.0.user, asked.as_ptr(), (&raw const slot).cast_mut()) };
        slot.into_outcome()
    }
}

impl Drop for HostCallbacks {
    fn drop(&mut self) {
        if let Some(release) = self.0.release {
            // SAFETY: the application promised that this may be called once; nothing uses `user` afterwards.
            unsafe { release(self.0.user) };
        }
    }
}

/// A larger `size` is taken for an uninitialised variable.
const MAX_SIZE: usize = 4096;
