//! How long expressions take.

/// An upper bound for the time of evaluations, in nanoseconds (approximate). It grows with the length of the claims.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Effort {
    pub(crate) fixed: f64,
    pub(crate) per_byte: f64,
}

impl Effort {
    /// An effort for each byte of the claims.
    pub(crate) fn per_byte(per_byte: f64) -> Effort {
        Effort { fixed: 0.0, per_byte }
    }

    /// The effort for claims of this length.
    #[expect(clippy::cast_precision_loss, reason = "bounds are rough")]
    pub(crate) fn at(self, bytes: usize) -> f64 {
        self.fixed + self.per_byte * bytes as f64
    }

    /// The greatest length up to `most`, halved as often as necessary, for which the effort is within a limit.
    pub(crate) fn longest(self, most: usize, limit: f64) -> usize {
        let lengths = std::iter::successors(Some(most), |length| (*length > 0).then_some(length / 2));
        let mut within = lengths.skip_while(|length| self.at(*length) > limit);
        within.next().unwrap_or_default()
    }

    /// An upper bound of either.
    pub(crate) fn max(self, other: Effort) -> Effort {
        Effort {
            fixed: self.fixed.max(other.fixed),
            per_byte: self.per_byte.max(other.per_byte),
        }
    }
}

impl std::iter::Sum for Effort {
    fn sum<I: Iterator<Item = Effort>>(efforts: I) -> Effort {
        efforts.fold(Effort::default(), |sum, one| Effort {
            fixed: sum.fixed + one.fixed,
            per_byte: sum.per_byte + one.per_byte,
        })
    }
}
