//! Which round is the best.
//!
//! The first difference decides:
//!
//! 1. approved before not approved;
//! 2. code that parses (or of which nobody knows) before code that does not;
//! 3. fewer critical findings by facts;
//! 4. with tests before without, where tests were asked for and can be counted;
//! 5. reviewed before not reviewed;
//! 6. the higher score of the review;
//! 7. the earlier round: a revision has to be better to win.

use std::cmp::{Ordering, Reverse};

use playhouse_protocol::develop::Round;
use playhouse_protocol::review::{Finding, FindingSource, Severity, Verdict};

use crate::code::judge::{Case, faults};

/// What decides, in the order of deciding; larger is better.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Merit {
    approved: bool,
    parses: bool,
    few_critical: Reverse<usize>,
    tested: bool,
    /// Of the review; `None`, which is less than any score, where there is no review.
    score: Option<f32>,
}

/// The best round of several: its index and why it is the best. `None` for none.
pub fn best(rounds: &[Round], tests_asked: bool) -> Option<(usize, String)> {
    let merits: Vec<_> = rounds.iter().map(|round| merit(round, tests_asked)).collect();
    let better = |best: usize, at: usize| match (merits.get(at), merits.get(best)) {
        (Some(new), Some(old)) if compare(new, old) == Ordering::Greater => at,
        _ => best,
    };
    let best = (1..rounds.len()).fold(0, better);
    let merit = merits.get(best)?;
    Some((best, reason(merit, rounds.len())))
}

fn merit(round: &Round, tests_asked: bool) -> Merit {
    let review = round.review.as_ref();
    let facts = &round.generated.facts;
    let tests = facts.metrics.syntax.as_ref().map(|syntax| syntax.tests);
    Merit {
        approved: review.is_some_and(|review| review.verdict == Verdict::Approve),
        parses: facts.parses != Some(false),
        few_critical: Reverse(critical_facts(round, tests_asked)),
        tested: !tests_asked || tests.map_or(!round.generated.tests.is_empty(), |tests| tests > 0),
        score: review.map(|review| review.score),
    }
}

/// Critical findings by facts: those of the review, or what it would have held of them where it failed.
fn critical_facts(round: &Round, tests_asked: bool) -> usize {
    let critical =
        |finding: &Finding| finding.severity == Severity::Critical && finding.source == FindingSource::Facts;
    if let Some(review) = &round.review {
        return review.findings.iter().filter(|finding| critical(finding)).count();
    }
    let source = round.generated.source();
    let case = Case {
        language: round.generated.language,
        source: &source,
        facts: &round.generated.facts,
        tests_expected: tests_asked,
    };
    faults(&case).iter().filter(|fault| critical(&fault.finding)).count()
}

fn compare(one: &Merit, other: &Merit) -> Ordering {
    one.approved
        .cmp(&other.approved)
        .then(one.parses.cmp(&other.parses))
        .then(one.few_critical.cmp(&other.few_critical))
        .then(one.tested.cmp(&other.tested))
        .then(compare_scores(one.score, other.score))
}

fn compare_scores(one: Option<f32>, other: Option<f32>) -> Ordering {
    match (one, other) {
        (Some(one), Some(other)) => one.total_cmp(&other),
        _ => one.is_some().cmp(&other.is_some()),
    }
}

fn reason(merit: &Merit, rounds: usize) -> String {
    let mut words = Vec::new();
    if merit.approved {
        words.push("it was approved".to_owned());
    }
    if rounds == 1 {
        words.push("it is the only round".to_owned());
    } else if !merit.approved {
        words.push(if merit.parses { "its code parses" } else { "no round's code parses better" }.to_owned());
        words.push(match merit.score {
            Some(score) => format!("no other round with as good facts scored more than {score:.1}"),
            None => "no round with as good facts was reviewed".to_owned(),
        });
    }
    words.join(", and ")
}
