//! The worker thread's loop.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use playhouse_protocol::completion::{Completion, CompletionRequest, Origin, ProviderKind, Route};

use super::job::{Job, Settings};
use super::queue::JobQueue;
use crate::error::{ModelError, ModelErrorKind};
use crate::local::engine::{Engine, Question};
use crate::local::sampler::Sampler;
use crate::local::slot::SlotWriter;
use crate::local::stop::StopFilter;

/// Works until the queue is closed and empty.
pub(in crate::local) fn run(settings: &Settings, queue: &JobQueue) {
    let mut engine = None;
    while let Some(job) = queue.pop() {
        match job {
            Job::Load { reply } => {
                let outcome = guarded(&mut engine, |engine| load(settings, engine).map(|_| ()));
                drop(reply.send(outcome));
            }
            Job::Complete { request, answer } => {
                let outcome = guarded(&mut engine, |engine| complete(settings, engine, &request, &answer));
                match outcome {
                    // Nobody waits for it.
                    Ok(None) => {}
                    Ok(Some(completion)) => answer.finish(Ok(completion)),
                    Err(kind) => answer.finish(Err(ModelError::new(&settings.info, kind))),
                }
            }
        }
    }
}

/// Does a piece of work; a panic in it becomes an error and costs the engine, whose state is then unknown.
fn guarded<T>(
    engine: &mut Option<Engine>,
    work: impl FnOnce(&mut Option<Engine>) -> Result<T, ModelErrorKind>,
) -> Result<T, ModelErrorKind> {
    catch_unwind(AssertUnwindSafe(|| work(engine))).unwrap_or_else(|panic| {
        *engine = None;
        Err(ModelErrorKind::Internal { reason: format!("the engine panicked: {}", panic_text(&*panic)) })
    })
}

fn load<'a>(settings: &Settings, engine: &'a mut Option<Engine>) -> Result<&'a mut Engine, ModelErrorKind> {
    match engine {
        Some(engine) => Ok(engine),
        None => {
            let vocabulary = settings.vocabulary()?;
            let loaded = Engine::load(&settings.path, vocabulary, settings.threads)
                .map_err(|reason| reason.at(&settings.path))?;
            Ok(engine.insert(loaded))
        }
    }
}

/// `None` when nobody waits for the answer any more.
fn complete(
    settings: &Settings,
    engine: &mut Option<Engine>,
    request: &CompletionRequest,
    answer: &SlotWriter,
) -> Result<Option<Completion>, ModelErrorKind> {
    let engine = load(settings, engine)?;
    let question = question(settings, request, engine.context_tokens())?;
    let said = engine.answer(question, &|| answer.is_cancelled(), &mut |text| answer.push(text));
    let Ok(said) = said else { return Ok(None) };
    Ok(Some(Completion {
        text: said.text,
        stop_reason: said.stop_reason,
        usage: said.usage,
        usage_reported: true,
        route: Route { attempts: 1, ..Route::default() },
        origin: Origin { model: settings.info.name.clone(), provider: ProviderKind::Local, request_id: None },
    }))
}

/// Checks a request and frames its conversation.
fn question(
    settings: &Settings,
    request: &CompletionRequest,
    file_context_tokens: usize,
) -> Result<Question, ModelErrorKind> {
    let invalid = |field, reason: &str| ModelErrorKind::InvalidRequest { field, reason: reason.to_owned() };
    if request.messages.is_empty() {
        return Err(invalid("messages", "there is none"));
    }
    if request.completion_tokens_max == Some(0) {
        return Err(invalid("completion_tokens_max", "0 is less than 1"));
    }
    let sampler = Sampler::new(&request.sampling, settings.seed)?;
    let vocabulary = settings.vocabulary()?;
    let prompt = vocabulary
        .template()
        .render(&request.messages)
        .and_then(|text| vocabulary.encode_prompt(&text))
        .map_err(|reason| ModelErrorKind::Rejected { message: reason.to_string() })?;
    if prompt.is_empty() {
        return Err(invalid("messages", "they are empty"));
    }
    let context_tokens = file_context_tokens.min(settings.info.context_tokens as usize);
    if prompt.len() >= context_tokens {
        return Err(ModelErrorKind::ContextExceeded {
            prompt_tokens: prompt.len() as u64,
            context_tokens: context_tokens as u64,
        });
    }
    let wanted = request.completion_tokens_max.unwrap_or(settings.info.completion_tokens_default) as usize;
    let completion_tokens_max = wanted.clamp(1, context_tokens - prompt.len());
    Ok(Question { prompt, sampler, stop: StopFilter::new(&request.stop), completion_tokens_max })
}

fn panic_text(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no reason given")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn panic_in_the_engine_becomes_an_error_with_its_reason() {
        let mut engine = None;
        let outcome = guarded(&mut engine, |_| -> Result<(), _> { panic!("no such {}", "thing") });
        assert_eq!(
            outcome,
            Err(ModelErrorKind::Internal { reason: "the engine panicked: no such thing".to_owned() })
        );
        assert_eq!(guarded(&mut engine, |_| Ok(1)), Ok(1));
    }
}
