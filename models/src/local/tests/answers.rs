//! What the engine answers, on a tiny model.

use std::cell::Cell;

use candle_core::quantized::GgmlDType;
use playhouse_protocol::completion::{CompletionRequest, Sampling, StopReason};

use super::tiny::{Tiny, ask};
use crate::client::ModelClient;
use crate::local::LocalModel;
use crate::local::engine::{Answer, Engine, Question};
use crate::local::sampler::Sampler;
use crate::local::stop::StopFilter;
use crate::local::transformer::Cancelled;

fn question(prompt: Vec<u32>, completion_tokens_max: usize) -> Question {
    let sampler = Sampler::new(&Sampling::default(), 0).unwrap();
    Question { prompt, sampler, stop: StopFilter::new(&[]), completion_tokens_max }
}

fn answer(engine: &mut Engine, prompt: &[u32]) -> Answer {
    engine.answer(question(prompt.to_vec(), 16), &|| false, &mut |_| {}).unwrap()
}

/// A prompt over several panels and chunks.
fn prompt(len: u32) -> Vec<u32> {
    (0..len).map(|index| index * 7 % 250).collect()
}

#[test]
fn answer_is_the_same_whatever_part_of_the_prompt_was_kept() {
    let file = Tiny::default().write();
    let prompt = prompt(300);
    let fresh = answer(&mut file.engine(), &prompt);
    assert_eq!((fresh.usage.prompt_tokens, fresh.usage.cached_prompt_tokens), (300, 0));
    for common in [1, 31, 32, 33, 255, 256, 257, 299] {
        let mut engine = file.engine();
        let mut other = prompt[..common].to_vec();
        other.extend([255; 20]);
        answer(&mut engine, &other);
        let reused = answer(&mut engine, &prompt);
        assert_eq!(reused.usage.cached_prompt_tokens, common as u64);
        assert_eq!(reused.text, fresh.text, "with {common} tokens kept");
        let again = answer(&mut engine, &prompt);
        assert_eq!((again.usage.cached_prompt_tokens, &again.text), (299, &fresh.text));
    }
}

#[test]
fn prompts_that_take_turns_find_their_beginnings_again() {
    let file = Tiny::default().write();
    let with_end = |first: u32, end: u32| {
        let mut prompt: Vec<_> = (0..200).map(|index| (first + index * 7) % 250).collect();
        prompt.extend([end; 5]);
        prompt
    };
    let mut engine = file.engine();
    let mut cached = Vec::new();
    for (first, end) in
        [(1, 251), (2, 251), (1, 252), (2, 252), (3, 251), (1, 253), (4, 251), (5, 251), (2, 253)]
    {
        let prompt = with_end(first, end);
        let answered = answer(&mut engine, &prompt);
        assert_eq!(answered.text, answer(&mut file.engine(), &prompt).text, "{first} with {end}");
        cached.push(answered.usage.cached_prompt_tokens);
    }
    // The second, which was not asked for the longest time, is forgotten when a fifth comes.
    assert_eq!(cached, [0, 0, 200, 200, 0, 200, 0, 0, 0]);
}

#[test]
fn answer_begins_alike_whether_tokens_come_as_a_prompt_or_one_by_one() {
    for (architecture, dtype) in
        [("llama", GgmlDType::Q8_0), ("qwen2", GgmlDType::Q5_1), ("llama", GgmlDType::F16)]
    {
        let file = Tiny { architecture, dtype, ..Tiny::default() }.write();
        let mut together = file.engine();
        let mut single = file.engine();
        let prompt = prompt(70);
        together.transformer_mut().prefill(&prompt, &|| false).unwrap();
        prompt.iter().for_each(|token| single.transformer_mut().step(*token));
        let scores = together.transformer_mut().scores().to_vec();
        let largest = scores.iter().fold(0.0_f32, |largest, score| largest.max(score.abs()));
        for (ours, theirs) in scores.iter().zip(single.transformer_mut().scores()) {
            assert!((ours - theirs).abs() < 0.05 * largest, "{ours} and {theirs} of at most {largest}");
        }
    }
}

#[test]
fn generation_stops_when_nobody_waits_any_more() {
    let mut engine = Tiny::default().write().engine();
    answer(&mut engine, &prompt(40));
    let (asked, pieces) = (Cell::new(0), Cell::new(0));
    let cancelled = || asked.replace(asked.get() + 1) >= 10;
    let mut count = |_: &str| pieces.set(pieces.get() + 1);
    assert_eq!(engine.answer(question(prompt(40), 1000), &cancelled, &mut count), Err(Cancelled));
    assert!((1..=10).contains(&pieces.get()), "{} pieces", pieces.get());
}

#[test]
fn reading_a_prompt_stops_when_nobody_waits_any_more_and_leaves_no_trace() {
    let file = Tiny::default().write();
    let mut engine = file.engine();
    answer(&mut engine, &prompt(40));
    let asked = Cell::new(0);
    let cancelled = || asked.replace(asked.get() + 1) >= 3;
    assert_eq!(engine.answer(question(prompt(600), 1), &cancelled, &mut |_| {}), Err(Cancelled));
    let after = answer(&mut engine, &prompt(600));
    assert_eq!(after.usage.cached_prompt_tokens, 40);
    assert_eq!(after.text, answer(&mut file.engine(), &prompt(600)).text);
}

async fn complete(model: &LocalModel, request: CompletionRequest) -> (String, StopReason) {
    let completion = model.complete(request).await.unwrap();
    (completion.text, completion.stop_reason)
}

#[tokio::test]
async fn answer_does_not_depend_on_the_number_of_threads() {
    let file = Tiny::default().write();
    let request = ask(&"many words ".repeat(40));
    let one = complete(&file.model(), request.clone()).await;
    for threads in [Some(2), Some(3), None] {
        let model = LocalModel::new(crate::local::LocalOptions { threads, ..file.options() });
        assert_eq!(complete(&model, request.clone()).await, one);
    }
}

#[tokio::test]
async fn answer_ends_before_a_stop_text_or_at_its_length() {
    let model = Tiny::default().write();
    let model = model.model();
    let (whole, reason) = complete(&model, ask("hello")).await;
    assert_eq!(reason, StopReason::Length);
    let stop = whole[whole.len() / 2..whole.len() / 2 + 2].to_owned();
    let request = CompletionRequest { stop: vec!["never said!".to_owned(), stop.clone()], ..ask("hello") };
    let expected = whole.split(&stop).next().unwrap().to_owned();
    assert_eq!(complete(&model, request).await, (expected, StopReason::Stop));
    let one =
        model.complete(CompletionRequest { completion_tokens_max: Some(1), ..ask("hello") }).await.unwrap();
    assert!(
        one.usage.completion_tokens == 1
            && whole.starts_with(&one.text)
            && one.stop_reason == StopReason::Length
    );
}

#[tokio::test]
async fn seed_decides_a_sampled_answer() {
    let file = Tiny::default().write();
    let model = file.model();
    let with_seed = |seed| CompletionRequest {
        sampling: Sampling { temperature: Some(1.5), seed: Some(seed), ..Sampling::default() },
        ..ask("hello")
    };
    let first = complete(&model, with_seed(1)).await;
    assert_eq!(complete(&model, with_seed(1)).await, first);
    assert_ne!(complete(&model, with_seed(2)).await, first);
}
