//! Several processes with one store: uses are counted exactly, and no answered login is lost if a process is killed.
//!
//! The test starts itself as the other processes.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot continue fails"
)]

#[path = "sessions/folder.rs"]
mod folder;
#[path = "sessions/redis_server.rs"]
#[expect(dead_code, reason = "the other test uses the rest")]
mod redis_server;
#[path = "sessions/world.rs"]
#[expect(dead_code, reason = "the other test uses the rest")]
mod world;

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Lines, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use jwtauth_sessions::Sessions;
use serde_json::{Value, json};

use self::folder::Folder;
use self::redis_server::Server;
use self::world::{World, vault};

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    match arguments.get(1).map(String::as_str) {
        Some("spend") => spend(&arguments[2], &arguments[3]),
        Some("login") => log_in(&arguments[2], &arguments[3]),
        // The arguments of a test runner have no meaning here.
        _ => run(),
    }
}

fn run() {
    let mut server = Server::durable();
    let folder = Folder::new();
    let sqlite = json!({ "sqlite": { "path": folder.path().join("sessions.db"), "timeout": "10m" } });
    for store in [&sqlite, &server.store()] {
        exactly_a_thousand_uses_pass(store);
        logins_survive_the_death_of_their_process(store);
    }
    logins_survive_the_death_of_redis(&mut server);
    println!("test processes ... ok");
}

fn config(store: &Value) -> Value {
    let roles =
        json!({ "web": { "token_ttl": "10h" }, "few": { "token_ttl": "10h", "token_num_uses": 1000 } });
    vault(&roles, &json!({ "store": store }))
}

fn exactly_a_thousand_uses_pass(store: &Value) {
    let world = World::build(&config(store), world::NOW, 1).unwrap();
    let login = world.login("few", "alice").unwrap();
    let mut others: Vec<_> = (0..4)
        .map(|_| Other::start(&["spend", &config(store).to_string(), login.token.expose()]))
        .collect();
    others
        .iter_mut()
        .for_each(|other| assert_eq!(other.line(), "ready"));
    others.iter_mut().for_each(Other::go);
    let passed: Vec<u64> = others
        .iter_mut()
        .map(|other| other.line().parse().unwrap())
        .collect();
    assert_eq!(passed.iter().sum::<u64>(), 1000, "{passed:?}");
    assert_eq!(
        world.sessions.lookup(login.token.expose()).unwrap_err().code(),
        "session_unknown"
    );
}

fn logins_survive_the_death_of_their_process(store: &Value) {
    let mut other = Other::start(&["login", &config(store).to_string(), "2"]);
    let tokens: Vec<String> = (0..40).map(|_| other.line()).collect();
    other.child.kill().unwrap();
    other.child.wait().unwrap();
    let tokens = tokens
        .into_iter()
        .chain(other.lines.by_ref().map(Result::unwrap))
        .collect();
    all_live(&tokens, store);
    // What the process left behind does not disturb the next one.
    World::build(&config(store), world::NOW, 3)
        .unwrap()
        .login("web", "next")
        .unwrap();
}

fn logins_survive_the_death_of_redis(server: &mut Server) {
    let store = server.store();
    let mut other = Other::start(&["login", &config(&store).to_string(), "4"]);
    let mut tokens: Vec<String> = (0..40).map(|_| other.line()).collect();
    server.kill();
    // The process ends when a login fails.
    tokens.extend(other.lines.by_ref().map(Result::unwrap));
    other.child.wait().unwrap();
    server.start();
    assert_eq!(tokens.pop().as_deref(), Some("store_unavailable"));
    all_live(&tokens, &store);
}

fn all_live(tokens: &Vec<String>, store: &Value) {
    let world = World::build(&config(store), world::NOW, 5).unwrap();
    let different: BTreeSet<_> = tokens.iter().collect();
    assert_eq!(different.len(), tokens.len());
    for token in tokens {
        world.sessions.authorize(token, None).unwrap();
    }
}

/// Another process.
struct Other {
    child: Child,
    input: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Other {
    fn start(arguments: &[&str]) -> Other {
        let mut command = Command::new(std::env::current_exe().unwrap());
        let command = command
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        Other {
            input: child.stdin.take().unwrap(),
            lines: BufReader::new(child.stdout.take().unwrap()).lines(),
            child,
        }
    }

    fn line(&mut self) -> String {
        self.lines.next().expect("the process ended").unwrap()
    }

    fn go(&mut self) {
        self.input.write_all(b"go\n").unwrap();
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// In another process: uses a token on eight threads until it is used up, and prints how often it passed.
fn spend(config: &str, token: &str) {
    let sessions: Sessions = World::build(&serde_json::from_str(config).unwrap(), world::NOW, 9)
        .unwrap()
        .sessions;
    say("ready");
    std::io::stdin().read_line(&mut String::new()).unwrap();
    let until_unknown = || {
        let mut passed = 0_u64;
        loop {
            match sessions.authorize(token, None) {
                Ok(_) => passed += 1,
                Err(error) if error.code() == "session_unknown" => return passed,
                Err(error) => panic!("{error}"),
            }
        }
    };
    let passed: u64 = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(until_unknown)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    say(&passed.to_string());
}

/// In another process: logs in again and again, and prints each token after the login was answered.
fn log_in(config: &str, seed: &str) {
    let seed = seed.parse::<u64>().unwrap() + u64::from(std::process::id());
    let world = World::build(&serde_json::from_str(config).unwrap(), world::NOW, seed).unwrap();
    loop {
        match world.login("web", "alice") {
            Ok(login) => say(login.token.expose()),
            Err(error) => return say(error.code()),
        }
    }
}

/// Prints a line. The one who reads it may be gone.
fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}
