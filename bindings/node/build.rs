//! Link arguments that a Node addon needs on some platforms.

fn main() {
    napi_build::setup();
}
