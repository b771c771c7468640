//! What is new in a conversation is what it costs.

use playhouse_protocol::completion::{
    Completion, CompletionRequest, Origin, ProviderKind, Route, StopReason,
};
use playhouse_protocol::journal::{
    Fingerprint, Part, Payload, RecordedStep, StepKind, StepOutcome, StepPath,
};
use playhouse_protocol::{Usage, envelope};

use super::Folder;
use crate::store::conformance::samples::{accepted, id, task};
use crate::store::sqlite::SqliteStore;
use crate::store::{Entry, TaskStore};

/// A text of about `words` words, another one for each number.
fn text(number: u64, words: u64) -> String {
    (0..words)
        .map(|word| format!("{:x}", (number * 7_919 + word) * 104_729 % 65_536))
        .collect::<Vec<_>>()
        .join(" ")
}

/// What is written down of an answer beside its text.
fn around(call: u64) -> Completion {
    Completion {
        text: String::new(),
        stop_reason: StopReason::Stop,
        usage: Usage {
            model_calls: 1,
            prompt_tokens: 2_000 * call + 1_013,
            completion_tokens: 997 + call % 13,
            cost_nano_usd: 5_017_500 * (call + 3),
            ..Usage::default()
        },
        usage_reported: true,
        route: Route {
            reason: "The settings name this model for chat (selection.by_task.chat).".to_owned(),
            attempts: 1,
            ..Route::default()
        },
        origin: Origin {
            model: "gpt-4o-2024-08-06".to_owned(),
            provider: ProviderKind::OpenAi,
            request_id: Some(format!("req_{:032x}", u128::from(call) << 90)),
        },
    }
}

/// The bytes on disk of a hundred calls, each of which sends all that was said before, for each unique byte.
async fn ratio(words_of: impl Fn(u64) -> u64) -> f64 {
    let folder = Folder::new();
    let store = SqliteStore::open(&folder.journal()).unwrap();
    store.commit(vec![accepted(task(0))]).await.unwrap();
    let mut input = vec![Part::new(envelope::encode(&CompletionRequest::default()).unwrap())];
    let mut unique = 0;
    for call in 0..100 {
        let (asked, answer) =
            (text(2 * call, words_of(2 * call)), text(2 * call + 1, words_of(2 * call + 1)));
        unique += asked.len() + answer.len();
        input.push(Part::tagged(2, asked.as_bytes()));
        let around = around(call);
        let parts = vec![Part::new(envelope::encode(&around).unwrap()), Part::new(answer.as_bytes())];
        let step = RecordedStep {
            path: StepPath::root().child(u32::try_from(call).unwrap() + 1),
            attempt: 1,
            kind: StepKind::ModelCall { model: "m".to_owned() },
            label: "chat".to_owned(),
            fingerprint: Fingerprint([u8::try_from(call).unwrap(); 32]),
            outcome: StepOutcome::Answered { output: Payload { parts }, usage: around.usage },
            unix_ms: 1_767_225_600_000,
        };
        let payload = Payload { parts: input.clone() };
        store
            .commit(vec![Entry::StepEnded { task: id(0), step: Box::new(step), input: payload }])
            .await
            .unwrap();
        input.push(Part::tagged(3, answer.as_bytes()));
    }
    store.close().await.unwrap();
    std::fs::metadata(folder.journal()).unwrap().len() as f64 / unique as f64
}

#[tokio::test]
async fn a_long_conversation_takes_a_fifth_more_than_its_unique_bytes_at_most() {
    let even = ratio(|_| 1_100).await;
    assert!(even < 1.2, "{even}");
    let uneven = ratio(|number| 100 + number * 7_919 % 2_000).await;
    assert!(uneven < 1.2, "{uneven}");
}
