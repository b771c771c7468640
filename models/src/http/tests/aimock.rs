//! Every form against aimock, which plays what `tests/peers/aimock.json` lists.

use std::time::Duration;

use playhouse_config::settings::TimeoutsConfig;
use playhouse_protocol::completion::{ChatMessage, CompletionRequest, StopReason};

use super::*;
use crate::client::ModelClient;
use crate::error::{Awaited, ModelError, ModelErrorKind};
use crate::testing::{Peer, TIMEOUTS, assert_clean, http_args, patiently, read_answer, retrying};

const FORMS: [ProviderKind; 3] = [ProviderKind::OpenAi, ProviderKind::Anthropic, ProviderKind::Ollama];

/// Time limits that pass before an answer comes that is 30 seconds late.
const IMPATIENT: TimeoutsConfig = TimeoutsConfig { first_token: Duration::from_millis(300), ..TIMEOUTS };

fn model_with(peer: &Peer, provider: ProviderKind, timeouts: TimeoutsConfig) -> HttpModel {
    let path = if provider == ProviderKind::Ollama { "" } else { "/v1" };
    client(provider, HttpArgs { timeouts, ..http_args(provider, peer.url(path)) })
}

fn model(peer: &Peer, provider: ProviderKind) -> HttpModel {
    model_with(peer, provider, TIMEOUTS)
}

fn ask(what: &str) -> CompletionRequest {
    CompletionRequest::new(vec![ChatMessage::system("my prompt"), ChatMessage::user(what)])
}

async fn fails(model: &HttpModel, what: &str) -> ModelError {
    let error = model.complete(ask(what)).await.unwrap_err();
    assert_clean(&error);
    error
}

async fn answers_plainly_and_streamed_alike(peer: &Peer, provider: ProviderKind) {
    let model = model(peer, provider);
    model.ping().await.unwrap();
    let plain = model.complete(ask("plainly")).await.unwrap();
    assert_eq!(
        (plain.text.as_str(), plain.stop_reason),
        ("Three colours: größer, rot, grün.", StopReason::Stop)
    );
    // For Ollama's form the peer counts nothing.
    assert_eq!(plain.usage_reported, provider != ProviderKind::Ollama);
    assert!(plain.origin.request_id.is_some_and(|id| id.starts_with("req-")));
    let streamed = read_answer(&model, ask("plainly")).await;
    assert_eq!(streamed.deltas, ["Three c", "olours:", " größer", ", rot, ", "grün."]);
    let streamed = streamed.end.unwrap();
    assert_eq!((streamed.text, streamed.stop_reason), (plain.text, plain.stop_reason));
}

async fn waits_as_long_as_it_is_told(peer: &Peer, provider: ProviderKind) {
    let model = model(peer, provider);
    for error in [fails(&model, "limited").await, read_answer(&model, ask("limited")).await.end.unwrap_err()]
    {
        assert!(matches!(*error.kind, ModelErrorKind::RateLimited { .. }), "{error}");
        // Of the headers, the tokens' reset tells the longest time.
        assert_eq!((error.status, error.retry_after), (Some(429), Some(Duration::from_secs(360))));
    }
}

async fn a_failure_that_passes_is_tried_again(peer: &Peer, provider: ProviderKind) {
    let what = format!("flaky {}", provider.as_str());
    let answer = retrying(model(peer, provider)).complete(ask(&what)).await.unwrap();
    assert_eq!(answer.text, "well again");
}

async fn faults_are_typed(peer: &Peer, provider: ProviderKind) {
    let model = model(peer, provider);
    for (what, kind) in [
        ("gone", "BrokenStream"),
        ("failing", "ServerError { message: \"no\" }"),
        ("refused", "Rejected { message: \"no\" }"),
        ("what nobody lists", "ServerError"),
    ] {
        for error in [fails(&model, what).await, read_answer(&model, ask(what)).await.end.unwrap_err()] {
            assert!(format!("{:?}", error.kind).starts_with(kind), "{provider:?} {what}: {error:?}");
        }
    }
    let error = fails(&model, "garbled").await;
    assert!(matches!(*error.kind, ModelErrorKind::InvalidResponse { .. }), "{provider:?}: {error:?}");
    let error = read_answer(&model, ask("garbled")).await.end.unwrap_err();
    // JSON that ends too early is, as the last line of a stream, one that was torn.
    let is_torn = matches!(*error.kind, ModelErrorKind::BrokenStream { .. });
    assert!(is_torn == (provider == ProviderKind::Ollama), "{provider:?}: {error:?}");
}

async fn a_stream_that_is_cut_is_broken(peer: &Peer, provider: ProviderKind) {
    let streamed = read_answer(&model(peer, provider), ask("cut")).await;
    let error = streamed.end.as_ref().unwrap_err();
    assert!(matches!(*error.kind, ModelErrorKind::BrokenStream { .. }), "{provider:?}: {error:?}");
    assert!("one two three four five six seven".starts_with(&streamed.deltas.concat()), "{streamed:?}");
}

async fn latency_is_borne_up_to_the_limit(peer: &Peer, provider: ProviderKind) {
    let streamed = read_answer(&model(peer, provider), ask("delayed")).await;
    assert_eq!(streamed.end.unwrap().text, "in time after all");
    let error = read_answer(&model_with(peer, provider, IMPATIENT), ask("late")).await.end.unwrap_err();
    assert_eq!(*error.kind, ModelErrorKind::TimedOut { what: Awaited::FirstToken, limit_ms: 300 });
}

#[tokio::test]
async fn aimock_is_understood_in_every_form() {
    let Some(peer) = Peer::aimock() else { return };
    patiently(model(&peer, ProviderKind::OpenAi), ask("plainly")).await;
    for provider in FORMS {
        answers_plainly_and_streamed_alike(&peer, provider).await;
        waits_as_long_as_it_is_told(&peer, provider).await;
        a_failure_that_passes_is_tried_again(&peer, provider).await;
        faults_are_typed(&peer, provider).await;
        a_stream_that_is_cut_is_broken(&peer, provider).await;
        latency_is_borne_up_to_the_limit(&peer, provider).await;
    }
}
