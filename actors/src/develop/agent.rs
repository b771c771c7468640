//! The agent itself.

use playhouse_protocol::develop::{Develop, DevelopStop, Developed, ROUNDS_MAX, Round};
use playhouse_protocol::generate::{GenerateCode, GeneratedCode, Revision};
use playhouse_protocol::review::{Parse, Review, ReviewCode, Verdict};
use playhouse_protocol::{Failure, FailureClass};

use super::best::best;
use super::feedback::feedback;
use crate::agent::{Agent, AgentError};
use crate::context::AgentContext;
use crate::generator::{CodeGenerator, check_context, check_sampling, check_spec};
use crate::reviewer::CodeReviewer;

/// The best mark that a reviewer gives.
const SCORE_MAX: f64 = 10.0;

/// Develops code in rounds; see the [module](super).
#[derive(Debug, Clone, Copy, Default)]
pub struct Developer;

impl Agent for Developer {
    const KIND: &'static str = "develop";
    type Request = Develop;
    type Reply = Developed;

    fn validate(&self, request: &Develop) -> Result<(), Failure> {
        check_spec(&request.spec)?;
        check_context(request.context.as_deref())?;
        check_sampling(&request.sampling)?;
        if !(1..=ROUNDS_MAX).contains(&request.rounds) {
            return Err(Failure::invalid(format!("read the request: rounds is {}", request.rounds))
                .with_hint(format!("Use 1 to {ROUNDS_MAX}; each round is at least two model calls.")));
        }
        CodeGenerator.validate(&generate(request, None))
    }

    async fn run(&self, ctx: &mut AgentContext, request: Develop) -> Result<Developed, AgentError> {
        let mut rounds: Vec<Round> = Vec::new();
        let mut warnings = Vec::new();
        let stop = loop {
            let number = u32::try_from(rounds.len()).unwrap_or(u32::MAX).saturating_add(1);
            if number > request.rounds {
                break DevelopStop::RoundsUsed;
            }
            match round(ctx, &request, number, rounds.last()).await {
                Ok(RoundEnd::Done(done)) => {
                    let approved = is_approved(&done);
                    rounds.push(*done);
                    if approved {
                        break DevelopStop::Approved;
                    }
                }
                Ok(RoundEnd::NoChange) => {
                    warnings.push(format!("Round {number} changed nothing, so no further round was made."));
                    break DevelopStop::NoChange;
                }
                Err(error) if rounds.is_empty() || error.class() == FailureClass::Cancelled => {
                    return Err(error);
                }
                Err(error) => {
                    warnings.push(format!(
                        "Round {number} could not be made: failed to {}",
                        Failure::from(error)
                    ));
                    break DevelopStop::Failed;
                }
            }
        };
        judge(ctx, &rounds);
        report(ctx, &request, rounds, stop, warnings)
    }
}

enum RoundEnd {
    Done(Box<Round>),
    NoChange,
}

fn is_approved(round: &Round) -> bool {
    round.review.as_ref().is_some_and(|review| review.verdict == Verdict::Approve)
}

async fn round(
    ctx: &mut AgentContext,
    request: &Develop,
    number: u32,
    last: Option<&Round>,
) -> Result<RoundEnd, AgentError> {
    let verb = if last.is_some() { "revising" } else { "writing" };
    ctx.progress(format!("round {number} of {}: {verb} code", request.rounds));
    let generated = ctx.ask::<CodeGenerator>(generate(request, last)).await?;
    if last.is_some_and(|last| is_same(&last.generated, &generated)) {
        return Ok(RoundEnd::NoChange);
    }
    ctx.progress(format!("round {number} of {}: reviewing", request.rounds));
    let reviewed = ctx.ask::<CodeReviewer>(review(request, &generated)).await;
    let (review, review_failure) = match reviewed {
        Ok(review) => (Some(review), None),
        Err(error) if error.class() == FailureClass::Cancelled => return Err(error),
        Err(error) => (None, Some(format!("failed to {}", Failure::from(error)))),
    };
    Ok(RoundEnd::Done(Box::new(Round { number, generated, review, review_failure })))
}

fn is_same(one: &GeneratedCode, other: &GeneratedCode) -> bool {
    one.code.trim() == other.code.trim() && one.tests.trim() == other.tests.trim()
}

/// What the generator is asked: the first attempt, or a revision of `last`.
fn generate(request: &Develop, last: Option<&Round>) -> GenerateCode {
    GenerateCode {
        spec: request.spec.clone(),
        language: request.language,
        constraints: request.constraints.clone(),
        context: request.context.clone(),
        tests: request.tests,
        revision: last.map(|last| Revision {
            code: last.generated.code.clone(),
            tests: last.generated.tests.clone(),
            feedback: last.review.as_ref().map_or_else(
                || vec!["Check every case that the task names, and correct what is wrong.".to_owned()],
                feedback,
            ),
        }),
        model: request.model.clone(),
        sampling: request.sampling,
    }
}

fn review(request: &Develop, generated: &GeneratedCode) -> ReviewCode {
    ReviewCode {
        code: generated.code.clone(),
        tests: generated.tests.clone(),
        tests_expected: request.tests,
        spec: Some(request.spec.clone()),
        language: request.language,
        focus: Vec::new(),
        model: request.reviewer_model.clone(),
        sampling: request.sampling,
    }
}

/// Tells what the reviewer makes of each model's code. Only once the rounds are over, so that an attempt that is made again does
/// not count twice. What could not be read is no judgement.
fn judge(ctx: &AgentContext, rounds: &[Round]) {
    for round in rounds {
        let Some(review) = round.review.as_ref().filter(|review| review.parse != Parse::Unreadable) else {
            continue;
        };
        let model = &round.generated.origin.model;
        ctx.record_quality(model, CodeGenerator::KIND, f64::from(review.score) / SCORE_MAX);
    }
}

fn report(
    ctx: &AgentContext,
    request: &Develop,
    rounds: Vec<Round>,
    stop: DevelopStop,
    mut warnings: Vec<String>,
) -> Result<Developed, AgentError> {
    let Some((at, best_because)) = best(&rounds, request.tests) else {
        return Err(Failure::internal("develop: no round was made").into());
    };
    let Some(chosen) = rounds.get(at) else {
        return Err(Failure::internal("develop: the best round is not there").into());
    };
    warnings.extend(chosen.generated.warnings.iter().cloned());
    warnings
        .extend(chosen.review_failure.iter().map(|why| format!("The best round was not reviewed: {why}")));
    let scripted = |round: &Round| {
        let by = |review: &Review| review.origin.provider.is_scripted();
        round.generated.origin.provider.is_scripted() || round.review.as_ref().is_some_and(by)
    };
    Ok(Developed {
        language: request.language,
        code: chosen.generated.code.clone(),
        tests: chosen.generated.tests.clone(),
        approved: is_approved(chosen),
        best_round: chosen.number,
        best_because,
        scripted: rounds.iter().any(scripted),
        stop,
        warnings,
        usage: ctx.usage(),
        elapsed_ms: ctx.elapsed_ms(),
        rounds,
    })
}
