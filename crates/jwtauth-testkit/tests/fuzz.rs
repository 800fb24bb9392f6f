//! The fuzz targets hold for their seeds and for every stored input, and each has a program.

#![expect(clippy::unwrap_used, reason = "a test that cannot continue fails")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::thread;

use jwtauth_testkit::fuzz::seeds::Cases;
use jwtauth_testkit::fuzz::{TARGETS, Target};
use jwtauth_testkit::{flatten, sessions, suite};

/// Flattens the cases once, in a directory of this test.
fn cases() -> std::path::PathBuf {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("fuzz-cases");
    flatten::suite(&suite(), &directory).unwrap();
    sessions::flatten::suite(&sessions::folder(&suite()), &sessions::folder(&directory)).unwrap();
    directory
}

fn stored(target: Target) -> Vec<(String, Vec<u8>)> {
    let entries = fs::read_dir(target.corpus())
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let mut stored: Vec<_> = entries
        .map(|path| (path.display().to_string(), fs::read(&path).unwrap()))
        .collect();
    stored.sort();
    stored
}

#[test]
fn every_statement_holds_for_the_seeds() {
    let cases = Cases::read(&cases()).unwrap();
    thread::scope(|scope| {
        for target in TARGETS {
            let cases = &cases;
            scope.spawn(move || {
                let seeds = cases.seeds(target.name).unwrap();
                assert!(!seeds.is_empty(), "{} has no seeds", target.name);
                println!("{}: {} seeds", target.name, seeds.len());
                for seed in seeds {
                    target.run(&seed);
                }
            });
        }
    });
}

#[test]
fn every_statement_holds_for_the_stored_inputs() {
    for target in TARGETS {
        let stored = stored(target);
        assert!(!stored.is_empty(), "{} has no stored inputs", target.name);
        println!("{}: {} stored inputs", target.name, stored.len());
        for (path, input) in stored {
            println!("{path}");
            target.run(&input);
        }
    }
}

#[test]
fn every_target_has_a_program_and_every_program_a_target() {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz");
    let names: BTreeSet<String> = TARGETS.iter().map(|target| target.name.to_owned()).collect();
    let programs = fs::read_dir(fuzz.join("fuzz_targets")).unwrap().map(|entry| {
        let path = entry.unwrap().path();
        path.file_stem().unwrap().to_str().unwrap().to_owned()
    });
    assert_eq!(programs.collect::<BTreeSet<_>>(), names);
    let manifest = fs::read_to_string(fuzz.join("Cargo.toml")).unwrap();
    for name in &names {
        assert!(
            manifest.contains(&format!("\nname = \"{name}\"\npath = \"fuzz_targets/{name}.rs\"")),
            "{name}"
        );
        let corpus: BTreeSet<String> = fs::read_dir(fuzz.join("corpus"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        assert_eq!(&corpus, &names, "a folder of stored inputs for each target");
    }
}
