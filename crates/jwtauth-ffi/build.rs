//! Tells the linker what the shared library is on ELF systems: its name, and that it stays.

/// The number changes whenever the header changes other than by addition.
const SONAME: &str = "libjwtauth.so.0";

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let family = std::env::var("CARGO_CFG_TARGET_FAMILY").unwrap_or_default();
    let vendor = std::env::var("CARGO_CFG_TARGET_VENDOR").unwrap_or_default();
    if family == "unix" && vendor != "apple" {
        println!("cargo::rustc-cdylib-link-arg=-Wl,-soname,{SONAME}");
        // The cryptography leaves a destructor with every thread that used it. Were the library unmapped by `dlclose`,
        // such a thread would end by jumping into nothing, so it stays mapped, and loading it again costs nothing.
        println!("cargo::rustc-cdylib-link-arg=-Wl,-z,nodelete");
    }
}
