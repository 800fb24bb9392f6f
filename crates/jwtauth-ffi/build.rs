//! Sets the soname of the shared library on ELF systems, and keeps the library mapped after `dlclose`.

/// The number changes with every change of the header that is not an addition.
const SONAME: &str = "libjwtauth.so.0";

fn main() {
    for file in ["build.rs", "jwtauth.map", "versioned-cc"] {
        println!("cargo::rerun-if-changed={file}");
    }
    let family = std::env::var("CARGO_CFG_TARGET_FAMILY").unwrap_or_default();
    let vendor = std::env::var("CARGO_CFG_TARGET_VENDOR").unwrap_or_default();
    if family == "unix" && vendor != "apple" {
        println!("cargo::rustc-cdylib-link-arg=-Wl,-soname,{SONAME}");
        // The cryptography library registers a destructor with every thread that used it. If `dlclose` unmapped the
        // library, such a thread would crash when it ends. So the library stays mapped; loading it again is free.
        println!("cargo::rustc-cdylib-link-arg=-Wl,-z,nodelete");
    }
}
