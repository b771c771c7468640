//! When parts that run side by side are decided. Pure.

use playhouse_protocol::plan::Policy;
use playhouse_protocol::{Failure, FailureClass};

/// Counts the ends of parts.
#[derive(Debug)]
pub(super) struct Tally {
    policy: Policy,
    parts_len: usize,
    answered: usize,
    failed: usize,
    first_failure: Option<Failure>,
}

/// What is decided before every part has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Decision {
    /// There are enough answers.
    Enough,
    /// There will never be enough.
    Hopeless(Failure),
}

impl Tally {
    pub(super) const fn new(policy: Policy, parts_len: usize) -> Self {
        Self { policy, parts_len, answered: 0, failed: 0, first_failure: None }
    }

    /// Counts the end of one part. A decision means that the others need not go on.
    pub(super) fn count(&mut self, ended: &Result<(), Failure>) -> Option<Decision> {
        match ended {
            Ok(()) => self.answered += 1,
            Err(failure) => {
                self.failed += 1;
                self.first_failure.get_or_insert_with(|| failure.clone());
            }
        }
        match self.policy {
            Policy::Collect => None,
            Policy::All => self.first_failure.clone().map(Decision::Hopeless),
            Policy::FirstN(n) if self.answered >= n => Some(Decision::Enough),
            Policy::FirstN(n) | Policy::Quorum(n) => self.too_few(n).map(Decision::Hopeless),
        }
    }

    /// What the whole comes to when every part has ended.
    pub(super) fn end(self) -> Result<(), Failure> {
        match self.policy {
            Policy::Collect => Ok(()),
            Policy::All => self.first_failure.map_or(Ok(()), Err),
            Policy::FirstN(n) | Policy::Quorum(n) => self.too_few(n).map_or(Ok(()), Err),
        }
    }

    fn too_few(&self, wanted: usize) -> Option<Failure> {
        let possible = self.parts_len - self.failed.min(self.parts_len);
        (possible < wanted).then(|| {
            let because = self.first_failure.as_ref();
            let class = because.map_or(FailureClass::Internal, |failure| failure.class);
            let why = because.map(|failure| format!(", first: {}", failure.message)).unwrap_or_default();
            let (failed, parts) = (self.failed, self.parts_len);
            Failure::new(class, format!("get {wanted} answers of {parts}: {failed} failed{why}"))
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ended(ok: bool) -> Result<(), Failure> {
        if ok { Ok(()) } else { Err(Failure::new(FailureClass::Denied, "say no")) }
    }

    proptest! {
        #[test]
        fn a_decision_is_what_the_end_would_be(outcomes in prop::collection::vec(any::<bool>(), 1..20), n in 1..20_usize, which in 0..4_usize) {
            let n = n.min(outcomes.len());
            let policy = [Policy::Collect, Policy::All, Policy::FirstN(n), Policy::Quorum(n)][which];
            let answered = outcomes.iter().filter(|ok| **ok).count();
            let holds = match policy {
                Policy::Collect => true,
                Policy::All => answered == outcomes.len(),
                Policy::FirstN(n) | Policy::Quorum(n) => answered >= n,
            };
            let mut tally = Tally::new(policy, outcomes.len());
            let mut decided = None;
            for (at, ok) in outcomes.iter().enumerate() {
                if let Some(decision) = tally.count(&ended(*ok)) {
                    decided = Some((at, decision));
                    break;
                }
            }
            match decided {
                Some((at, Decision::Enough)) => {
                    prop_assert!(holds && matches!(policy, Policy::FirstN(_)));
                    prop_assert!(outcomes[at], "decided by an answer");
                }
                Some((at, Decision::Hopeless(failure))) => {
                    prop_assert!(!holds && !outcomes[at]);
                    prop_assert_eq!(failure.class, FailureClass::Denied);
                }
                None => prop_assert_eq!(tally.end().is_ok(), holds),
            }
        }
    }
}
