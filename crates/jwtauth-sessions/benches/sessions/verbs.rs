//! A login, and the check of a later request.

use std::collections::BTreeMap;
use std::hint::black_box;

use jwtauth_core::Request;
use redis::Value;

use crate::Result;
use crate::signed::Signed;
use crate::stores::Stores;
use crate::timed::{Timed, Turns, compare, head, marked};

/// The most that a check over Redis may cost, in round trips.
const ROUND_TRIPS: f64 = 1.15;

/// The most nanoseconds that a check in the memory may take.
const IN_MEMORY: f64 = 1000.0;

/// A login compared with the decision that it contains.
pub(crate) fn logins(stores: &Stores, signed: &Signed, passes: usize) -> Result<()> {
    println!("\n| login | decision, ns | login, ns | ratio | best |\n|---|---|---|---|---|");
    for (name, store) in stores.all() {
        let sessions = signed.sessions(&store)?;
        let token = signed.token.clone();
        let login = move || {
            let login = sessions.login(black_box(&Request::bearer(&token)), &BTreeMap::new());
            assert!(black_box(login).is_ok());
        };
        row(name, passes, [signed.decided()?, Timed::new(Box::new(login))]);
    }
    Ok(())
}

/// A check compared with a decision, over Redis with a bare round trip, and in the memory with its goal.
pub(crate) fn checks(stores: &Stores, signed: &Signed, passes: usize) -> Result<()> {
    println!("\n| authorize | decision, ns | authorize, ns | ratio | best |\n|---|---|---|---|---|");
    for (name, store) in stores.all() {
        row(name, passes, [signed.decided()?, signed.check_in(&store)?]);
    }
    head(["GET", "authorize"]);
    for (name, store, address) in stores.redis() {
        // The check first: its entry is what is fetched.
        let check = signed.check_in(&store)?;
        let bare = Bare::new(&address)?.timed("GET");
        compare(name, ROUND_TRIPS, passes, [bare, check]);
    }
    // How much of this is the command, and not the library.
    println!("\n| | GET, ns | GETEX, ns | ratio | best |\n|---|---|---|---|---|");
    for (name, _, address) in stores.redis() {
        let bare = |command| Ok::<_, Box<dyn std::error::Error>>(Bare::new(&address)?.timed(command));
        row(name, passes, [bare("GET")?, bare("GETEX")?]);
    }
    println!("\n| authorize | median, ns | best | at most |\n|---|---|---|---|");
    let mut check = signed.check_in(&serde_json::json!({ "memory": {} }))?;
    (0..passes).for_each(|_| check.turn());
    let median = check.cost().at(0.5);
    let shown = if median <= IN_MEMORY {
        format!("{median:.0}")
    } else {
        format!("**{median:.0}**")
    };
    println!("| memory | {shown} | {:.0} | {IN_MEMORY} |", check.cost().at(0.0));
    Ok(())
}

/// A comparison without a goal.
fn row(name: &str, passes: usize, [mut unit, mut other]: [Timed; 2]) {
    for _ in 0..passes {
        unit.turn();
        other.turn();
    }
    let at = |turns: &mut Turns| (turns.at(0.0), turns.at(0.5));
    let ((unit_best, unit), (best, other)) = (at(unit.cost()), at(other.cost()));
    let ratio = marked(other / unit, true);
    println!(
        "| {name} | {unit:.0} | {other:.0} | {ratio} | {:.2} |",
        best / unit_best
    );
}

impl Signed {
    /// The decision alone.
    fn decided(&self) -> Result<Timed> {
        let (verifier, token) = (self.verifier()?, self.token.clone());
        let decide =
            move || assert!(black_box(verifier.authenticate(black_box(&Request::bearer(&token)))).is_ok());
        Ok(Timed::new(Box::new(decide)))
    }

    /// The check of a session in this store.
    fn check_in(&self, store: &serde_json::Value) -> Result<Timed> {
        let sessions = self.sessions(store)?;
        let login = sessions.login(&Request::bearer(&self.token), &BTreeMap::new())?;
        let check = move || {
            assert!(black_box(sessions.authorize(black_box(login.token.expose()), None)).is_ok());
        };
        Ok(Timed::new(Box::new(check)))
    }
}

/// Round trips of the same client.
struct Bare {
    connection: redis::Connection,
    /// The key of a session.
    key: String,
}

impl Bare {
    fn new(address: &str) -> Result<Bare> {
        let mut connection = redis::Client::open(address)?.get_connection()?;
        let keys: Vec<String> = redis::cmd("KEYS").arg("jwtauth:s:*").query(&mut connection)?;
        let key = keys.into_iter().next().ok_or("no session")?;
        Ok(Bare { connection, key })
    }

    /// Fetches the session with this command.
    fn timed(mut self, command: &str) -> Timed {
        let command = redis::cmd(command).arg(&self.key).clone();
        Timed::new(Box::new(move || {
            let reply: redis::RedisResult<Value> = command.query(&mut self.connection);
            assert!(matches!(black_box(reply), Ok(Value::BulkString(_))));
        }))
    }
}
