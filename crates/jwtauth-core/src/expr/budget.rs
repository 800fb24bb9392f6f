//! What an explanation may cost in addition to the decision.

use std::cell::Cell;

/// The time that one explanation may still take for expressions, in the nanoseconds of [`Effort`](super::Effort). All its parts
/// share it. A decision has no budget: it has its own limits.
#[derive(Debug)]
pub(crate) struct Budget {
    left: Cell<f64>,
}

impl Budget {
    /// The budget of an explanation: about as much as the slowest decision.
    pub(crate) fn of_explanation() -> Budget {
        Budget::new(SIGNED)
    }

    pub(crate) fn new(nanoseconds: f64) -> Budget {
        Budget {
            left: Cell::new(nanoseconds),
        }
    }

    /// Leaves only what the checks of claims may cost that no key has signed. Anybody can send such a token, and the decision
    /// about it is cheap.
    pub(crate) fn reads_unverified_claims(&self) {
        self.left.set(self.left.get().min(UNVERIFIED));
    }

    /// Takes an effort, if that much is left. What costs less may still be made after what costs too much.
    pub(crate) fn spend(&self, effort: f64) -> bool {
        let left = self.left.get() - effort;
        // Not for an effort that is no number, either.
        let is_enough = left >= 0.0;
        if is_enough {
            self.left.set(left);
        }
        is_enough
    }
}

/// About a second. The bounds of efforts are rough: usual expressions take a tenth of theirs.
const SIGNED: f64 = 1e9;
/// The most effort of a request that is not slow ([`Verifier::slow_from`](crate::Verifier::slow_from)).
const UNVERIFIED: f64 = 20e6;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_is_spent_once() {
        let budget = Budget::new(10.0);
        assert!(budget.spend(6.0));
        assert!(!budget.spend(6.0));
        assert!(budget.spend(4.0));
        assert!(!budget.spend(0.5));
        assert!(!Budget::new(1.0).spend(f64::NAN));
        assert!(!Budget::new(1.0).spend(f64::INFINITY));
    }

    #[test]
    fn unverified_claims_get_no_more_than_is_left() {
        let budget = Budget::of_explanation();
        budget.reads_unverified_claims();
        assert!(!budget.spend(UNVERIFIED * 1.5));
        let budget = Budget::new(10.0);
        budget.reads_unverified_claims();
        assert!(!budget.spend(11.0));
    }
}
