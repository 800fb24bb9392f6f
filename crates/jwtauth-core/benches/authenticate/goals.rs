//! A whole decision, compared with the bare signature check.

use crate::Result;
use crate::signed::Signed;
use crate::timed::{compare, head};

/// The most that a decision may cost for each algorithm. A: with the checks of the registered claims only. B: with a name of
/// the caller too. Both read the whole payload and refuse duplicate names. The benchmark of the C interface has the goal C.
const GOALS: [(&str, [f64; 2]); 7] = [
    ("HS256", [2.4, 3.4]),
    ("RS256", [1.10, 1.15]),
    ("PS256", [1.10, 1.15]),
    ("ES256", [1.04, 1.05]),
    ("ES384", [1.03, 1.03]),
    ("ES512", [1.03, 1.03]),
    ("EdDSA", [1.06, 1.08]),
];

pub(crate) fn table(chosen: &[(&str, Signed)], passes: usize) -> Result<()> {
    head(["signature", "decision"]);
    for (name, signed) in chosen {
        let goals = GOALS.iter().find(|(known, _)| known == name);
        let [a, b] = goals.ok_or("an algorithm without goals")?.1;
        let source = signed.pasted_source();
        let plain = signed.decision(signed.verifier(&source, "", "")?)?;
        compare(&format!("{name} A"), a, passes, [signed.check(), plain]);
        let named = signed.decision(signed.pasted()?)?;
        compare(&format!("{name} B"), b, passes, [signed.check(), named]);
    }
    Ok(())
}
