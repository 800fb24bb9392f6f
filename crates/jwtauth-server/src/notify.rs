//! Messages to systemd (sd_notify), if it started the process.

#[cfg(target_os = "linux")]
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};

use crate::notes::note;

/// Tells systemd something, such as `READY=1`.
pub(crate) fn tell(text: &str) {
    let Some(path) = std::env::var_os("NOTIFY_SOCKET") else {
        return;
    };
    let address = match path.as_bytes().split_first() {
        // Only Linux has names without files.
        #[cfg(target_os = "linux")]
        Some((b'@', name)) => SocketAddr::from_abstract_name(name),
        _ => SocketAddr::from_pathname(&path),
    };
    let sent = address.and_then(|address| UnixDatagram::unbound()?.send_to_addr(text.as_bytes(), &address));
    if let Err(why) = sent {
        note(&format_args!("cannot notify systemd: {why}"));
    }
}

/// The time for the message `RELOADING=1`, in microseconds. It is that of the system's monotonic clock, which only the
/// uptime tells without unsafe code.
pub(crate) fn monotonic_micros() -> Option<u64> {
    let uptime = std::fs::read_to_string("/proc/uptime").ok()?;
    let seconds: f64 = uptime.split(' ').next()?.parse().ok()?;
    std::time::Duration::try_from_secs_f64(seconds)
        .ok()
        .and_then(|time| u64::try_from(time.as_micros()).ok())
}
