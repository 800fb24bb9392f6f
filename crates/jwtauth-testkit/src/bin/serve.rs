//! The servers of the scripted faults, for tests in other languages; `tests/faults/README.md` explains the requests.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jwtauth_testkit::Result;
use jwtauth_testkit::case::merge;
use jwtauth_testkit::faults::{Act, Fault, Play, Suite};
use jwtauth_testkit::server::http::{self, Message};
use jwtauth_testkit::token_cache;
use serde::Deserialize;
use serde_json::{Value, json};

fn main() -> ExitCode {
    match serve() {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

/// Serves until standard input ends, so that the program also ends when its parent crashes.
#[expect(clippy::disallowed_methods, reason = "a program for tests, which has threads")]
fn serve() -> Result<()> {
    let text = |why: std::io::Error| why.to_string();
    let stage = Arc::new(Stage {
        suite: Suite::load()?,
        plays: Mutex::default(),
        next: AtomicU64::new(1),
    });
    let listener = TcpListener::bind("127.0.0.1:0").map_err(text)?;
    let address = listener.local_addr().map_err(text)?;
    let inner = Arc::clone(&stage);
    std::thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            let stage = Arc::clone(&inner);
            std::thread::spawn(move || stage.answer(connection));
        }
    });
    println!("{}", json!({ "control": format!("http://{address}") }));
    std::io::stdout().flush().map_err(text)?;
    std::io::stdin().read_to_end(&mut Vec::new()).map_err(text)?;
    stage.plays().clear();
    Ok(())
}

struct Stage {
    suite: Suite,
    plays: Mutex<BTreeMap<u64, Arc<Play>>>,
    next: AtomicU64,
}

/// The script to play.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    fault: Named,
    script: String,
    /// Whether the verifier has a token cache.
    #[serde(default)]
    token_cache: bool,
    /// An entry of the list can be posted as it is.
    #[serde(rename = "built_in_client")]
    _built_in_client: Option<bool>,
}

/// A fault by its name, or one that the file does not have.
#[derive(Deserialize)]
#[serde(untagged)]
enum Named {
    Known(String),
    Own(Box<Fault>),
}

impl Stage {
    fn answer(&self, mut connection: TcpStream) {
        let Some(request) = Message::read(&mut connection) else {
            return;
        };
        let (status, body) = match self.decide(&request) {
            Ok(body) => (200, body),
            Err(why) => (400, json!({ "error": why })),
        };
        let body = body.to_string();
        // A client that has disconnected is not an error.
        let _ = http::head(
            &mut connection,
            status,
            [("Content-Type", "application/json")],
            body.len(),
        )
        .and_then(|()| connection.write_all(body.as_bytes()));
    }

    fn decide(&self, request: &Message) -> Result<Value> {
        let path: Vec<&str> = request.path.split('/').skip(1).collect();
        match (request.method.as_str(), path.as_slice()) {
            ("GET", ["faults"]) => Ok(self.scripts()),
            ("POST", ["plays"]) => self.start(&request.body),
            ("GET", ["plays", number]) => {
                let play = self.play(number)?;
                Ok(json!({ "requests": play.requests(), "connections": play.connections() }))
            }
            ("POST", ["plays", number, "steps", step]) => {
                let play = self.play(number)?;
                let act = step.parse().ok().and_then(|step: usize| play.acts.get(step));
                match act {
                    Some(Act::Change { what, .. }) => play.change(what).map(|()| json!({})),
                    _ => Err(format!("step {step} changes nothing")),
                }
            }
            ("DELETE", ["plays", number]) => {
                let play = self.play(number)?;
                self.plays().retain(|known, _| known.to_string() != *number);
                match play.outlasted() {
                    0 => Ok(json!({})),
                    clients => Err(format!("{clients} clients waited longer than the servers")),
                }
            }
            (method, _) => Err(format!("unknown request: {method} {}", request.path)),
        }
    }

    /// The scripts that can be played without control of the verifier's clock. Each one is played once more by a verifier
    /// with a token cache, which must have the same outcomes; the built-in client suffices for that.
    fn scripts(&self) -> Value {
        let scripts = |remembers: bool| {
            let all = self.suite.faults.iter();
            all.filter(|fault| !fault.advances()).flat_map(move |fault| {
                fault.scripts().map(move |script| {
                    json!({ "fault": fault.name, "script": script, "token_cache": remembers,
                            "built_in_client": fault.built_in_client || remembers })
                })
            })
        };
        scripts(false).chain(scripts(true)).collect()
    }

    fn start(&self, body: &[u8]) -> Result<Value> {
        let wanted: Wanted = serde_json::from_slice(body).map_err(|why| why.to_string())?;
        let fault = match &wanted.fault {
            Named::Known(name) => self.suite.get(name)?,
            Named::Own(fault) => fault,
        };
        if fault.advances() {
            return Err("the verifier's clock cannot be advanced from here".to_owned());
        }
        let play = Play::new(&self.suite, fault, &wanted.script)?;
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let mut program = play.program();
        merge(&mut program, &json!({ "play": number }));
        if wanted.token_cache {
            let options = json!({ "verifier": { "options": { "token_cache": token_cache() } } });
            merge(&mut program, &options);
        }
        self.plays().insert(number, Arc::new(play));
        Ok(program)
    }

    fn play(&self, number: &str) -> Result<Arc<Play>> {
        let play = number
            .parse()
            .ok()
            .and_then(|number: u64| self.plays().get(&number).cloned());
        play.ok_or_else(|| format!("there is no play {number}"))
    }

    fn plays(&self) -> MutexGuard<'_, BTreeMap<u64, Arc<Play>>> {
        self.plays.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
