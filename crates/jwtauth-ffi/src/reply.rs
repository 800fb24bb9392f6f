//! Returning text to C, and freeing it.

#![expect(
    unsafe_code,
    reason = "exported functions; replies are written through pointers from C"
)]

use std::ffi::{CStr, c_char, c_int};
use std::fmt;
use std::mem::ManuallyDrop;
use std::ptr::{self, NonNull};

use jwtauth_core::wire::JsonType;
use jwtauth_core::{Code, EntitlementKind, Error, Granted, Result, wire};
use jwtauth_sessions::Secret;

use crate::guard;
use crate::status::Status;

/// The caller's output for the reply: `char **reply_json`, or NULL.
pub(crate) struct ReplySlot(*mut *mut c_char);

impl ReplySlot {
    /// Takes the caller's pointer and sets the output to NULL until there is a reply.
    ///
    /// # Safety
    /// `reply_json` is NULL, or may be written until the reply is.
    pub(crate) unsafe fn new(reply_json: *mut *mut c_char) -> ReplySlot {
        if !reply_json.is_null() {
            // SAFETY: the caller's promise.
            unsafe { reply_json.write(ptr::null_mut()) };
        }
        ReplySlot(reply_json)
    }

    /// Runs the body of a function and writes its reply, or its failure, to the caller's output.
    pub(crate) fn answer(self, body: impl FnOnce() -> Result<String>) -> Status {
        self.answer_either(|| Ok((Status::Ok, body()?)))
    }

    /// Runs a body that chooses both the status and the reply, for failures whose reply has more than the error.
    pub(crate) fn answer_either(self, body: impl FnOnce() -> Result<(Status, String)>) -> Status {
        let wanted = self.is_wanted();
        self.write(wire::guarded(|| {
            let (status, reply) = body()?;
            Ok((status, Text::of(&reply, wanted)?))
        }))
    }

    /// Runs a verb of sessions, and writes its reply. A failure is a reply, too.
    pub(crate) fn verb(&self, body: impl FnOnce() -> Result<Secret>) -> Status {
        self.write(wire::guarded(|| {
            let reply = body()?;
            let class = jwtauth_sessions::wire::class(reply.expose());
            let status = class.map_or(Status::Ok, Status::of);
            Ok((status, Text::of(reply.expose(), self.is_wanted())?))
        }))
    }

    /// Checks that there is an output.
    ///
    /// # Errors
    /// [`Code::ArgumentNull`].
    pub(crate) fn required(&self) -> Result<()> {
        if self.is_wanted() {
            Ok(())
        } else {
            Err(guard::null("reply_json"))
        }
    }

    /// Runs a body that decides, and writes the reply that the body makes from the grant.
    pub(crate) fn decide(self, body: impl FnOnce(Make<'_>) -> Result<Result<Reply>>) -> Status {
        let wanted = self.is_wanted();
        let make = |granted: Granted<'_>| Text::of(&wire::line(granted), wanted);
        self.write(wire::guarded(|| Ok((Status::Ok, body(&make)??))))
    }

    /// Whether there is an output.
    pub(crate) fn is_wanted(&self) -> bool {
        !self.0.is_null()
    }

    /// Writes a reply, or the reply to a failure.
    pub(crate) fn write(&self, outcome: Result<(Status, Reply)>) -> Status {
        let (status, reply) = outcome.unwrap_or_else(|error| {
            // If this fails too, the output stays NULL and the status still reports the failure.
            let reply = wire::guarded(|| Text::of(&wire::failed(&error), self.is_wanted()));
            (Status::of(error.class()), reply.unwrap_or_default())
        });
        if let Some(text) = reply.filter(|_| self.is_wanted()) {
            // SAFETY: the caller of `new` promised that this may be written.
            unsafe { self.0.write(text.into_raw()) };
        }
        status
    }
}

/// The value at a JSON pointer (RFC 6901) in a reply, such as "/identity/name" or "/identity/groups/0".
///
/// A string is returned as its plain text, any other value as JSON text.
///
/// @param json A reply, or any other JSON text.
/// @param pointer The JSON pointer; the empty string is the whole document.
/// @return New text; free it with jwtauth_string_free. NULL if the value does not exist, or if an argument is NULL, not
/// UTF-8, not JSON or not a JSON pointer. Also NULL if the string contains a NUL character (U+0000), so that a C
/// program never sees a truncated name. Therefore do not treat NULL as the end of an array; use jwtauth_json_count.
///
/// # Safety
/// Both arguments are NULL, or NUL-terminated strings that do not change during the call.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn jwtauth_json_get(json: *const c_char, pointer: *const c_char) -> *mut c_char {
    let found = wire::guarded(|| {
        // SAFETY: the caller's promise.
        let (json, pointer) = unsafe { (guard::text("json", json)?, guard::text("pointer", pointer)?) };
        wire::get(json, pointer)
            .map(|value| Text::copy(&value))
            .transpose()
    });
    found.ok().flatten().map_or(ptr::null_mut(), Text::into_raw)
}

/// The type of the value at a JSON pointer (RFC 6901). It distinguishes the string "true" from the value true.
///
/// @param json A reply, or any other JSON text.
/// @param pointer The JSON pointer; the empty string is the whole document.
/// @return The type; JWTAUTH_JSON_ABSENT if the value does not exist, or if an argument is NULL, not UTF-8, not JSON or
/// not a JSON pointer.
///
/// # Safety
/// As for `jwtauth_json_get`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn jwtauth_json_type(json: *const c_char, pointer: *const c_char) -> Json {
    let found = wire::guarded(|| {
        // SAFETY: the caller's promise.
        let (json, pointer) = unsafe { (guard::text("json", json)?, guard::text("pointer", pointer)?) };
        Ok(wire::json_type(json, pointer).map_or(Json::Absent, Json::of))
    });
    found.unwrap_or(Json::Absent)
}

/// The number of elements of an array, or of members of an object. Use it to visit "/identity/groups/0", "/1" and so
/// on: a group whose name jwtauth_json_get cannot return does not end the array. Each call reads its text from the start, so
/// get a long array once, and visit "/0", "/1" and so on in its own text.
///
/// @param json A reply, or any other JSON text.
/// @param pointer The JSON pointer of the array or object.
/// @return The number; 0 if the value does not exist or is neither, or if an argument is invalid.
///
/// # Safety
/// As for `jwtauth_json_get`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn jwtauth_json_count(json: *const c_char, pointer: *const c_char) -> usize {
    let found = wire::guarded(|| {
        // SAFETY: the caller's promise.
        let (json, pointer) = unsafe { (guard::text("json", json)?, guard::text("pointer", pointer)?) };
        Ok(wire::count(json, pointer).unwrap_or(0))
    });
    found.unwrap_or(0)
}

/// Whether a grant or an authorized session has an entitlement: a role, a policy or another right.
///
/// An entitlement with variables (a templated policy) never matches; read its members with jwtauth_json_get.
///
/// @param reply_json The reply of a decision, or of jwtauth_sessions_authorize. For any other text, and for a failure, the
/// result is 0.
/// @param kind The kind, such as "role", "policy" or "org_role".
/// @param name The name, such as "editor".
/// @param scope Where it is valid: an organisation's id, or a datacenter. NULL matches only an entitlement that is valid
/// everywhere.
/// @return 1 if the grant or session has it, else 0.
///
/// # Safety
/// Each argument is NULL, or a NUL-terminated string that does not change during the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn jwtauth_grant_has(
    reply_json: *const c_char,
    kind: *const c_char,
    name: *const c_char,
    scope: *const c_char,
) -> c_int {
    let found = wire::guarded(|| {
        // SAFETY: the caller's promise.
        let text = |argument, pointer| unsafe { guard::text(argument, pointer) };
        let reply = text("reply_json", reply_json)?;
        let (kind, name) = (text("kind", kind)?, text("name", name)?);
        let scope = if scope.is_null() {
            None
        } else {
            Some(text("scope", scope)?)
        };
        let kind = EntitlementKind::ALL.iter().find(|known| known.as_str() == kind);
        Ok(kind.is_some_and(|kind| match wire::restore(reply) {
            Ok(grant) => grant.has_in(*kind, name, scope),
            Err(_) => jwtauth_sessions::wire::authorized_has(reply, *kind, name, scope),
        }))
    });
    c_int::from(found.unwrap_or(false))
}

/// The type of a JSON value.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Json {
    /// There is no such value.
    Absent = 0,
    /// null
    Null = 1,
    /// true or false
    Boolean = 2,
    /// A number.
    Number = 3,
    /// A string.
    String = 4,
    /// An array.
    Array = 5,
    /// An object.
    Object = 6,
}

impl Json {
    fn of(kind: JsonType) -> Json {
        match kind {
            JsonType::Null => Json::Null,
            JsonType::Boolean => Json::Boolean,
            JsonType::Number => Json::Number,
            JsonType::String => Json::String,
            JsonType::Array => Json::Array,
            JsonType::Object => Json::Object,
        }
    }
}

/// Frees text that this library returned.
///
/// @param string A reply or a result of jwtauth_json_get; free it once. NULL has no effect.
///
/// # Safety
/// `string` is NULL, or was returned by this library and has not been freed since.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn jwtauth_string_free(string: *mut c_char) {
    // SAFETY: the caller's promise; all text comes from `Text`, and `free` accepts NULL.
    unsafe { libc::free(string.cast()) };
}

/// The reply of a call; `None` if the caller does not want one.
pub(crate) type Reply = Option<Text>;

/// Makes the reply to a grant. One type for all calls, so that the decision is compiled once.
pub(crate) type Make<'m> = &'m (dyn Fn(Granted<'_>) -> Result<Reply> + Sync);

/// Text in memory that a C program can own.
///
/// The memory comes from `malloc` and not from a `CString`, because a C program may shorten a string that it owns, and a
/// `CString` cannot be freed after its length has changed.
#[derive(Debug)]
pub(crate) struct Text(NonNull<c_char>);

// SAFETY: the memory belongs to the `Text` alone, and any thread may free it.
unsafe impl Send for Text {}

impl Text {
    /// Copies a text if it is wanted.
    pub(crate) fn of(text: &str, wanted: bool) -> Result<Reply> {
        wanted.then(|| Text::copy(text)).transpose()
    }

    fn copy(text: &str) -> Result<Text> {
        let failed = || Error::new(Code::InternalError);
        // SAFETY: the bytes of a `str` can be read.
        let nul = unsafe { libc::memchr(text.as_ptr().cast(), 0, text.len()) };
        // JSON text contains no NUL, but the string value of a claim may, and it must not be truncated.
        if !nul.is_null() {
            return Err(failed());
        }
        // SAFETY: `malloc` accepts any size; the length of a `str` is at most `isize::MAX`, so the sum cannot overflow.
        let copy = unsafe { libc::malloc(text.len() + 1) };
        let copy = NonNull::new(copy.cast::<u8>()).ok_or_else(failed)?;
        // SAFETY: the copy is new, and has room for the text and its final NUL.
        unsafe {
            copy.as_ptr().copy_from_nonoverlapping(text.as_ptr(), text.len());
            copy.as_ptr().add(text.len()).write(0);
        }
        Ok(Text(copy.cast()))
    }

    /// Hands the memory over to a C program.
    fn into_raw(self) -> *mut c_char {
        ManuallyDrop::new(self).0.as_ptr()
    }
}

impl fmt::Display for Text {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        // SAFETY: the memory ends in NUL and was not handed over.
        let text = unsafe { CStr::from_ptr(self.0.as_ptr()) };
        out.write_str(&text.to_string_lossy())
    }
}

impl Drop for Text {
    fn drop(&mut self) {
        // SAFETY: the memory comes from `malloc` and was not handed over.
        unsafe { libc::free(self.0.as_ptr().cast()) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_gives_a_reply_like_any_other_failure() {
        let (status, reply) = answered(|| panic!("a panic in the body"));
        assert_eq!(status, Status::Internal);
        assert_eq!(
            wire::get(&reply, "/code").as_deref(),
            Some(Code::InternalError.as_str())
        );
    }

    #[test]
    fn a_reply_that_would_be_truncated_is_a_failure() {
        let (status, reply) = answered(|| Ok("half\0whole".to_owned()));
        assert_eq!(status, Status::Internal);
        assert_eq!(wire::get(&reply, "/outcome").as_deref(), Some("failed"));
    }

    #[test]
    fn a_null_output_still_gives_a_status() {
        // SAFETY: NULL is allowed.
        let status = unsafe { ReplySlot::new(ptr::null_mut()) }.answer(|| Err(guard::null("token")));
        assert_eq!(status, Status::Argument);
    }

    fn answered(body: impl FnOnce() -> Result<String>) -> (Status, String) {
        let mut slot = ptr::null_mut();
        // SAFETY: the slot outlives the call, and afterwards it holds text from the library.
        unsafe {
            let status = ReplySlot::new(&raw mut slot).answer(body);
            let reply = std::ffi::CStr::from_ptr(slot).to_str().unwrap().to_owned();
            jwtauth_string_free(slot);
            (status, reply)
        }
    }
}
