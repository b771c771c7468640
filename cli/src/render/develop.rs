//! Developed code for people.

use std::fmt::Write as _;

use playhouse_protocol::develop::{DevelopStop, Developed, Round};

use super::{SCRIPTED_LABEL, review, words};
use crate::style::Style;

/// The result of `playhouse develop`: a line of facts, the code, the best round's review, warnings.
/// `code` stands where the code belongs; `None` leaves it out, for when it went into a file.
pub(crate) fn text(developed: &Developed, code: Option<&str>, style: Style) -> String {
    let mut text = format!("{}\n", header(developed, style));
    if developed.scripted {
        let _ = writeln!(text, "{}", style.yellow(SCRIPTED_LABEL));
    }
    if let Some(code) = code {
        text.push('\n');
        text.push_str(code);
        text.push('\n');
    }
    if let Some(best) = best_round(developed) {
        if let Some(best_review) = &best.review {
            text.push_str(&review::summary(best_review, style));
        }
        if let Some(failure) = &best.review_failure {
            let _ = writeln!(text, "review: none: failed to {failure}");
        }
    }
    if developed.rounds.len() > 1 {
        let _ = writeln!(
            text,
            "round {} of {} was kept: {}",
            developed.best_round,
            developed.rounds.len(),
            developed.best_because
        );
    }
    for warning in &developed.warnings {
        let _ = writeln!(text, "{} {warning}", style.yellow("warning:"));
    }
    text
}

/// Approved or not, after how many rounds, by whom, for how much.
pub(crate) fn header(developed: &Developed, style: Style) -> String {
    let rounds = words::counted(developed.rounds.len() as u64, "round");
    let outcome = if developed.approved {
        style.green(&format!("approved in round {}", developed.best_round))
    } else {
        style.yellow(&format!("not approved after {rounds}{}", why(developed.stop)))
    };
    format!(
        "{outcome} · {} · {} · {}",
        models(developed).join(", "),
        words::usage(&developed.usage),
        words::seconds(developed.elapsed_ms)
    )
}

/// Why no further round was made, where that is not what everybody expects.
const fn why(stop: DevelopStop) -> &'static str {
    match stop {
        DevelopStop::Approved | DevelopStop::RoundsUsed => "",
        DevelopStop::NoChange => " (the revision changed nothing)",
        DevelopStop::Failed => " (a later round failed)",
    }
}

/// Everybody who answered, in order of appearance.
pub(crate) fn models(developed: &Developed) -> Vec<&str> {
    let mut models: Vec<&str> = Vec::new();
    for round in &developed.rounds {
        let reviewer = round.review.as_ref().map(|review| &review.origin);
        for origin in std::iter::once(&round.generated.origin).chain(reviewer) {
            if !models.contains(&origin.model.as_str()) {
                models.push(&origin.model);
            }
        }
    }
    models
}

pub(crate) fn best_round(developed: &Developed) -> Option<&Round> {
    developed.rounds.iter().find(|round| round.number == developed.best_round)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::sample;

    #[test]
    fn a_development_reads_from_facts_over_code_to_review() {
        let developed = sample::developed();
        assert_eq!(
            text(&developed, Some(&developed.source()), Style::PLAIN),
            "approved in round 2 · demo · 4,160 tokens · 4.8 s
scripted answers: no model was asked

fn add() {}

#[test]
fn one() {}

review: approved, 8.5 of 10, by demo
  functionality 8.5
  Short and clear.
  advice   Add a doc comment.
round 2 of 2 was kept: it was approved
warning: round 1: the answer was cut
"
        );
    }

    #[test]
    fn a_development_that_was_not_approved_says_so_first() {
        let mut developed = sample::developed();
        developed.approved = false;
        developed.stop = DevelopStop::NoChange;
        assert_eq!(
            header(&developed, Style::PLAIN),
            "not approved after 2 rounds (the revision changed nothing) · demo · 4,160 tokens · 4.8 s"
        );
    }
}
