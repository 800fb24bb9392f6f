//! The script that links the shared library.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

#[test]
fn it_writes_the_versions_and_calls_the_linker_of_the_target() {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("linker");
    fs::create_dir_all(&folder).unwrap();
    for name in ["cc", "for-arm", "for-x86"] {
        let path = folder.join(name);
        fs::write(&path, "#!/bin/sh\necho \"${0##*/} $*\"\n").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let ours = Path::new(env!("CARGO_MANIFEST_DIR"));
    let called = |target: &str| {
        let list = folder.join("list");
        fs::write(&list, "{ global: jwtauth_grant_has; local: *; };").unwrap();
        let arguments = [
            format!("-Wl,--version-script={}", list.display()),
            format!("/toolchain/lib/rustlib/{target}/lib/libcompiler_builtins.rlib"),
        ];
        let linker = |name: &str| folder.join(name);
        let output = Command::new(ours.join("versioned-cc"))
            .args(&arguments)
            .env(
                "PATH",
                format!("{}:{}", folder.display(), std::env::var("PATH").unwrap()),
            )
            .env("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER", linker("for-arm"))
            .env("CARGO_TARGET_X86_64_UNKNOWN_LINUX_MUSL_LINKER", linker("for-x86"))
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        let map = fs::read_to_string(ours.join("jwtauth.map")).unwrap();
        assert_eq!(fs::read_to_string(&list).unwrap(), map);
        let printed = String::from_utf8(output.stdout).unwrap();
        let (name, passed) = printed.trim_end().split_once(' ').unwrap();
        assert_eq!(passed, arguments.join(" "));
        name.to_owned()
    };
    assert_eq!(called("aarch64-unknown-linux-gnu"), "for-arm");
    assert_eq!(called("x86_64-unknown-linux-musl"), "for-x86");
    assert_eq!(called("x86_64-unknown-linux-gnu"), "cc");
}
