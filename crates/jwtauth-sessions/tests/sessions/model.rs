//! Any sequence of verbs has the results of a simple model, in every store.

use jwtauth_sessions::{Error, Group};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::world::{NOW, World, vault};

#[derive(Debug, Clone)]
enum Step {
    Login { role: usize, name: usize },
    Lookup(usize),
    LookupAccessor(usize),
    Authorize(usize),
    Renew(usize, u64),
    Revoke(usize),
    RevokeAccessor(usize),
    RevokeRole(usize),
    RevokeName(usize),
    Sweep,
    Wait(u64),
}

/// The times of the roles: ttl, max ttl, period, uses. The unit is long, because Redis measures with its own clock.
const ROLES: [(u64, u64, u64, u64); 4] = [
    (20 * UNIT, 50 * UNIT, 0, 0),
    (20 * UNIT, 0, 0, 3),
    (0, 0, 15 * UNIT, 0),
    (30 * UNIT, 30 * UNIT, 0, 1),
];
const NAMES: [&str; 3] = ["alice", "bob", "carol"];
const UNIT: u64 = 1000;

fn config(store: &Value) -> Value {
    let mut roles = json!({});
    for (index, (ttl, max_ttl, period, uses)) in ROLES.into_iter().enumerate() {
        roles[format!("r{index}")] = json!({
            "token_ttl": ttl, "token_max_ttl": max_ttl, "token_period": period, "token_num_uses": uses,
        });
    }
    vault(&roles, &json!({ "store": store }))
}

/// A session of the model.
#[derive(Debug)]
struct Known {
    role: usize,
    name: usize,
    issued: u64,
    end: u64,
    uses: Option<u64>,
    revoked: bool,
}

impl Known {
    fn lives(&self, now: u64) -> bool {
        !self.revoked && now < self.end && self.uses != Some(0)
    }
}

/// What a verb answers, as far as the model knows it.
type Answer = Result<(Option<u64>, Option<u64>), &'static str>;

struct Model {
    now: u64,
    sessions: Vec<Known>,
}

impl Model {
    fn find(&mut self, index: usize) -> Option<&mut Known> {
        let now = self.now;
        self.sessions.get_mut(index).filter(|known| known.lives(now))
    }

    fn revoke(&mut self, is_in: impl Fn(&Known) -> bool) -> Answer {
        let now = self.now;
        let mut count = 0;
        for known in self
            .sessions
            .iter_mut()
            .filter(|known| known.lives(now) && is_in(known))
        {
            known.revoked = true;
            count += 1;
        }
        Ok((Some(count), None))
    }

    fn step(&mut self, step: &Step) -> Answer {
        let now = self.now;
        let unknown = "session_unknown";
        match *step {
            Step::Login { role, name } => {
                let (ttl, _, period, uses) = ROLES[role];
                let lease = if period > 0 { period } else { ttl };
                let uses = Some(uses).filter(|uses| *uses > 0);
                self.sessions.push(Known {
                    role,
                    name,
                    issued: now,
                    end: now + lease,
                    uses,
                    revoked: false,
                });
                Ok((Some(lease), uses))
            }
            Step::Lookup(index) | Step::LookupAccessor(index) => {
                let known = self.find(index).ok_or(unknown)?;
                Ok((Some(known.end - now), known.uses))
            }
            Step::Authorize(index) => {
                let known = self.find(index).ok_or(unknown)?;
                known.uses = known.uses.map(|uses| uses - 1);
                Ok((Some(known.end - now), known.uses))
            }
            Step::Renew(index, increment) => {
                let known = self.find(index).ok_or(unknown)?;
                let (ttl, max_ttl, period, _) = ROLES[known.role];
                let lease = if period > 0 {
                    period
                } else {
                    let wish = if increment > 0 { increment } else { ttl };
                    let max = if max_ttl > 0 { max_ttl } else { 768 * 3600 };
                    let left = (known.issued + max).saturating_sub(now);
                    if left == 0 {
                        return Err("session_past_max_ttl");
                    }
                    wish.min(left)
                };
                known.end = now + lease;
                Ok((Some(lease), known.uses))
            }
            Step::Revoke(index) | Step::RevokeAccessor(index) => {
                let known = self.find(index).ok_or(unknown)?;
                known.revoked = true;
                Ok((None, None))
            }
            Step::RevokeRole(role) => self.revoke(|known| known.role == role),
            Step::RevokeName(name) => self.revoke(|known| known.name == name),
            Step::Sweep => Ok((None, None)),
            Step::Wait(seconds) => {
                self.now += seconds;
                Ok((None, None))
            }
        }
    }
}

/// The sessions, and the tokens and accessors that they gave out.
struct Real {
    world: World,
    given: Vec<(String, String)>,
}

impl Real {
    fn step(&mut self, step: &Step) -> Answer {
        let sessions = &self.world.sessions;
        let none = (String::from("hvs.none"), String::from("none"));
        let token = |index: usize| self.given.get(index).unwrap_or(&none).0.as_str();
        let accessor = |index: usize| self.given.get(index).unwrap_or(&none).1.as_str();
        let answer: Result<_, Error> = match *step {
            Step::Login { role, name } => self.world.login(&format!("r{role}"), NAMES[name]).map(|login| {
                let accessor = login.accessor.unwrap().expose().to_owned();
                self.given.push((login.token.expose().to_owned(), accessor));
                (login.session.ttl(), login.session.uses_left())
            }),
            Step::Lookup(index) => sessions
                .lookup(token(index))
                .map(|info| (info.ttl(), info.uses_left())),
            Step::LookupAccessor(index) => sessions
                .lookup_accessor(accessor(index))
                .map(|info| (info.ttl(), info.uses_left())),
            Step::Authorize(index) => sessions
                .authorize(token(index), None)
                .map(|info| (info.ttl(), info.uses_left())),
            Step::Renew(index, increment) => sessions
                .renew(token(index), increment)
                .map(|login| (login.session.ttl(), login.session.uses_left())),
            Step::Revoke(index) => sessions.revoke(token(index)).map(|()| (None, None)),
            Step::RevokeAccessor(index) => sessions.revoke_accessor(accessor(index)).map(|()| (None, None)),
            Step::RevokeRole(role) => sessions
                .revoke_all(Group::Profile(&format!("r{role}")))
                .map(|count| (Some(count), None)),
            Step::RevokeName(name) => sessions
                .revoke_all(Group::Subject(NAMES[name]))
                .map(|count| (Some(count), None)),
            Step::Sweep => sessions.sweep().map(|_| (None, None)),
            Step::Wait(seconds) => {
                self.world.wait(seconds);
                Ok((None, None))
            }
        };
        answer.map_err(|error| error.code())
    }
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let index = || 0_usize..6;
    let step = prop_oneof![
        3 => (0..ROLES.len(), 0..NAMES.len()).prop_map(|(role, name)| Step::Login { role, name }),
        2 => index().prop_map(Step::Lookup),
        1 => index().prop_map(Step::LookupAccessor),
        4 => index().prop_map(Step::Authorize),
        2 => (index(), 0_u64..60).prop_map(|(index, wish)| Step::Renew(index, wish * UNIT)),
        1 => index().prop_map(Step::Revoke),
        1 => index().prop_map(Step::RevokeAccessor),
        1 => (0..ROLES.len()).prop_map(Step::RevokeRole),
        1 => (0..NAMES.len()).prop_map(Step::RevokeName),
        1 => Just(Step::Sweep),
        3 => (1_u64..20).prop_map(|wait| Step::Wait(wait * UNIT)),
    ];
    proptest::collection::vec(step, 1..40)
}

/// Compares a store with the model.
fn compare(store: &Value, steps: &[Step]) -> Result<(), TestCaseError> {
    let world = World::build(&config(store), NOW, 7).unwrap();
    let mut real = Real {
        world,
        given: Vec::new(),
    };
    let mut model = Model {
        now: 0,
        sessions: Vec::new(),
    };
    for (index, step) in steps.iter().enumerate() {
        prop_assert_eq!(real.step(step), model.step(step), "step {} of {:?}", index, steps);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn memory_has_the_results_of_the_model(steps in steps()) {
        compare(&json!({ "memory": {} }), &steps)?;
    }
}

#[cfg(feature = "sqlite")]
proptest! {
    #![proptest_config(ProptestConfig::with_cases(30))]

    #[test]
    fn sqlite_has_the_results_of_the_model(steps in steps()) {
        let folder = crate::folder::Folder::new();
        compare(&json!({ "sqlite": { "path": folder.path().join("sessions.db") } }), &steps)?;
    }
}

#[cfg(feature = "redis")]
#[test]
fn redis_has_the_results_of_the_model() {
    let server = crate::redis_server::Server::with(&[]);
    let runner = &mut proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(60));
    let tested = runner.run(&steps(), |steps| {
        server.run(&["FLUSHALL"]);
        compare(&server.store(), &steps)
    });
    tested.unwrap();
}
