//! The ABI that compiled programs rely on: numbers, names and signatures.

#![expect(unsafe_code, reason = "strings from the C interface are read here")]

use std::ffi::{CStr, c_char, c_int, c_uint, c_ulonglong, c_void};
use std::mem::offset_of;

use jwtauth::{Callbacks, FetchSlot, Handle, Json, Number, Options, SessionsHandle, Status};

#[test]
fn statuses_keep_their_numbers_and_names() {
    let table = [
        (Status::Ok, 0, c"ok"),
        (Status::Denied, 1, c"denied"),
        (Status::Config, 2, c"config"),
        (Status::Unavailable, 3, c"unavailable"),
        (Status::Argument, 4, c"argument"),
        (Status::Internal, 5, c"internal"),
    ];
    for (status, number, name) in table {
        assert_eq!(status as c_uint, number);
        assert_eq!(name_of(number), name);
    }
    assert_eq!(name_of(6), c"unknown");
    assert_eq!(name_of(c_uint::MAX), c"unknown");
    assert_eq!(size_of::<Status>(), size_of::<c_uint>());
    assert_eq!(size_of::<Number>(), size_of::<c_uint>());
}

#[test]
fn types_keep_their_numbers() {
    let table = [
        ("/absent", Json::Absent, 0),
        ("/null", Json::Null, 1),
        ("/true", Json::Boolean, 2),
        ("/number", Json::Number, 3),
        ("/text", Json::String, 4),
        ("/array", Json::Array, 5),
        ("", Json::Object, 6),
    ];
    let document = c"{\"null\":null,\"true\":true,\"number\":1e999,\"text\":\"true\",\"array\":[]}";
    for (pointer, expected, number) in table {
        let pointer = std::ffi::CString::new(pointer).unwrap();
        // SAFETY: both are NUL-terminated.
        let found = unsafe { jwtauth::jwtauth_json_type(document.as_ptr(), pointer.as_ptr()) };
        assert_eq!((found, found as c_uint), (expected, number), "{pointer:?}");
    }
}

#[test]
fn functions_keep_their_signatures() {
    type Text = *const c_char;
    type Reply = *mut *mut c_char;
    let _: unsafe extern "C" fn(Text, *mut *mut Handle, Reply) -> Status = jwtauth::jwtauth_verifier_new;
    let _: unsafe extern "C" fn(Text, *mut *mut Handle, Reply) -> Status =
        jwtauth::jwtauth_verifier_new_from_file;
    let _: unsafe extern "C" fn(Text, *const Callbacks, *mut *mut Handle, Reply) -> Status =
        jwtauth::jwtauth_verifier_new_with;
    let _: unsafe extern "C" fn(*mut FetchSlot, c_int, Text, *const c_void, usize) -> Status =
        jwtauth::jwtauth_fetch_respond;
    let _: unsafe extern "C" fn(*mut FetchSlot, Text, Text) -> Status = jwtauth::jwtauth_fetch_fail;
    let _: unsafe extern "C" fn(*const Handle, Text, Reply) -> Status =
        jwtauth::jwtauth_verifier_authenticate;
    let _: unsafe extern "C" fn(*const Handle, Text, Text, Reply) -> Status =
        jwtauth::jwtauth_verifier_authenticate_token;
    let _: unsafe extern "C" fn(*const Handle, Text, *const Options, Reply) -> Status =
        jwtauth::jwtauth_verifier_authenticate_with;
    let _: unsafe extern "C" fn(
        *const Handle,
        *const Text,
        usize,
        *const Options,
        usize,
        *mut Status,
        Reply,
    ) -> Status = jwtauth::jwtauth_verifier_authenticate_many;
    let _: unsafe extern "C" fn(*const Handle, Text, c_int, Reply) -> Status =
        jwtauth::jwtauth_verifier_explain;
    let _: unsafe extern "C" fn(*const Handle, Text, *const Options, c_int, Reply) -> Status =
        jwtauth::jwtauth_verifier_explain_with;
    let _: unsafe extern "C" fn(*const Handle, *const Text, usize, *const Options, usize, Reply) -> Status =
        jwtauth::jwtauth_verifier_authenticate_many_json;
    let _: unsafe extern "C" fn(*const Handle, Reply) -> Status = jwtauth::jwtauth_verifier_refresh_keys;
    let _: unsafe extern "C" fn(*const Handle, Reply) -> Status = jwtauth::jwtauth_verifier_policy;
    let _: unsafe extern "C" fn(*const Handle, Reply) -> Status = jwtauth::jwtauth_verifier_counters;
    let _: unsafe extern "C" fn(*mut Handle) = jwtauth::jwtauth_verifier_free;
    let _: unsafe extern "C" fn(Text, Text) -> *mut c_char = jwtauth::jwtauth_json_get;
    let _: unsafe extern "C" fn(Text, Text) -> Json = jwtauth::jwtauth_json_type;
    let _: unsafe extern "C" fn(Text, Text) -> usize = jwtauth::jwtauth_json_count;
    let _: unsafe extern "C" fn(Text, Text, Text, Text) -> c_int = jwtauth::jwtauth_grant_has;
    let _: unsafe extern "C" fn(*mut c_char) = jwtauth::jwtauth_string_free;
    let _: extern "C" fn(Number) -> Text = jwtauth::jwtauth_status_name;
    let _: extern "C" fn() -> Text = jwtauth::jwtauth_version;
}

#[test]
fn functions_of_sessions_keep_their_signatures() {
    type Text = *const c_char;
    type Reply = *mut *mut c_char;
    type Held = *const SessionsHandle;
    type New = *mut *mut SessionsHandle;
    let _: unsafe extern "C" fn(Text, New, Reply) -> Status = jwtauth::jwtauth_sessions_new;
    let _: unsafe extern "C" fn(Text, New, Reply) -> Status = jwtauth::jwtauth_sessions_new_from_file;
    let _: unsafe extern "C" fn(Text, *const Callbacks, New, Reply) -> Status =
        jwtauth::jwtauth_sessions_new_with;
    let _: unsafe extern "C" fn(Held, Text, New, Reply) -> Status = jwtauth::jwtauth_sessions_reload;
    let _: unsafe extern "C" fn(Held, *mut *mut Handle, Reply) -> Status = jwtauth::jwtauth_sessions_verifier;
    let _: unsafe extern "C" fn(*mut SessionsHandle) = jwtauth::jwtauth_sessions_free;
    let _: [unsafe extern "C" fn(Held, Text, Reply) -> Status; 10] = [
        jwtauth::jwtauth_sessions_authorize,
        jwtauth::jwtauth_sessions_login,
        jwtauth::jwtauth_sessions_lookup,
        jwtauth::jwtauth_sessions_lookup_accessor,
        jwtauth::jwtauth_sessions_lookup_token,
        jwtauth::jwtauth_sessions_renew,
        jwtauth::jwtauth_sessions_revoke,
        jwtauth::jwtauth_sessions_revoke_accessor,
        jwtauth::jwtauth_sessions_revoke_all,
        jwtauth::jwtauth_sessions_revoke_token,
    ];
    let _: unsafe extern "C" fn(Held, Reply) -> Status = jwtauth::jwtauth_sessions_sweep;
    let _: unsafe extern "C" fn(Held, Text, *const Options, Text, Reply) -> Status =
        jwtauth::jwtauth_sessions_login_token;
    let _: unsafe extern "C" fn(Held, Text, c_ulonglong, Reply) -> Status =
        jwtauth::jwtauth_sessions_renew_token;
    let _: unsafe extern "C" fn(Held, Text, Text, Reply) -> Status =
        jwtauth::jwtauth_sessions_authorize_token;
}

#[test]
fn members_keep_their_offsets() {
    let word = size_of::<usize>();
    assert_eq!(offset_of!(Callbacks, size), 0);
    assert_eq!(offset_of!(Callbacks, user), word);
    assert_eq!(offset_of!(Callbacks, fetch), 2 * word);
    assert_eq!(offset_of!(Callbacks, release), 3 * word);
    assert_eq!(offset_of!(Callbacks, event), 4 * word);
    assert_eq!(size_of::<Callbacks>(), 5 * word);
    assert_eq!(offset_of!(Options, size), 0);
    assert_eq!(offset_of!(Options, profile), word);
    assert_eq!(offset_of!(Options, remote_addr), 2 * word);
    assert_eq!(offset_of!(Options, cached_only), 3 * word);
    assert_eq!(size_of::<Options>(), 4 * word);
}

#[test]
fn the_header_declares_these_functions_and_no_others() {
    let header = include_str!("../../../include/jwtauth.h");
    let mut declared: Vec<&str> = header
        .lines()
        .filter(|line| !line.starts_with([' ', '#', '/']))
        // The size of an enumeration is checked by the size of an array.
        .filter(|line| !line.starts_with("typedef"))
        .filter_map(|line| line.split_once('('))
        .filter_map(|(before, _)| before.rsplit([' ', '*']).next())
        .collect();
    declared.sort_unstable();
    assert_eq!(declared, FUNCTIONS);
}

#[test]
fn the_version_is_that_of_the_package() {
    // SAFETY: a static string.
    let version = unsafe { CStr::from_ptr(jwtauth::jwtauth_version()) };
    assert_eq!(version.to_str().unwrap(), env!("CARGO_PKG_VERSION"));
    let numbers = [
        jwtauth::JWTAUTH_VERSION_MAJOR,
        jwtauth::JWTAUTH_VERSION_MINOR,
        jwtauth::JWTAUTH_VERSION_PATCH,
    ];
    assert_eq!(
        numbers.map(|number| number.to_string()).join("."),
        env!("CARGO_PKG_VERSION")
    );
}

fn name_of(number: c_uint) -> &'static CStr {
    // SAFETY: every number gives a static string.
    unsafe { CStr::from_ptr(jwtauth::jwtauth_status_name(Number(number))) }
}

/// Names may be added to this list, but never removed.
const FUNCTIONS: [&str; 43] = [
    "jwtauth_fetch_fail",
    "jwtauth_fetch_respond",
    "jwtauth_grant_has",
    "jwtauth_json_count",
    "jwtauth_json_get",
    "jwtauth_json_type",
    "jwtauth_sessions_authorize",
    "jwtauth_sessions_authorize_token",
    "jwtauth_sessions_free",
    "jwtauth_sessions_login",
    "jwtauth_sessions_login_token",
    "jwtauth_sessions_lookup",
    "jwtauth_sessions_lookup_accessor",
    "jwtauth_sessions_lookup_token",
    "jwtauth_sessions_new",
    "jwtauth_sessions_new_from_file",
    "jwtauth_sessions_new_with",
    "jwtauth_sessions_reload",
    "jwtauth_sessions_renew",
    "jwtauth_sessions_renew_token",
    "jwtauth_sessions_revoke",
    "jwtauth_sessions_revoke_accessor",
    "jwtauth_sessions_revoke_all",
    "jwtauth_sessions_revoke_token",
    "jwtauth_sessions_sweep",
    "jwtauth_sessions_verifier",
    "jwtauth_status_name",
    "jwtauth_string_free",
    "jwtauth_verifier_authenticate",
    "jwtauth_verifier_authenticate_many",
    "jwtauth_verifier_authenticate_many_json",
    "jwtauth_verifier_authenticate_token",
    "jwtauth_verifier_authenticate_with",
    "jwtauth_verifier_counters",
    "jwtauth_verifier_explain",
    "jwtauth_verifier_explain_with",
    "jwtauth_verifier_free",
    "jwtauth_verifier_new",
    "jwtauth_verifier_new_from_file",
    "jwtauth_verifier_new_with",
    "jwtauth_verifier_policy",
    "jwtauth_verifier_refresh_keys",
    "jwtauth_version",
];
