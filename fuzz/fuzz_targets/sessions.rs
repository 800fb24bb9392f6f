#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| jwtauth_testkit::fuzz::run("sessions", input));
