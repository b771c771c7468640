//! The forms in which questions and answers are written down.

use std::sync::Arc;

use playhouse_protocol::completion::{Completion, CompletionRequest, CompletionV1, CompletionV2, Role};
use playhouse_protocol::envelope::{self, EnvelopeError};
use playhouse_protocol::journal::{Part, Payload};

/// The settings first, then a piece for each message: a conversation that grows costs what is new in it.
pub(super) fn of_request(request: &CompletionRequest) -> Result<Payload, EnvelopeError> {
    let settings = CompletionRequest {
        messages: Arc::default(),
        sampling: request.sampling,
        completion_tokens_max: request.completion_tokens_max,
        stop: request.stop.clone(),
        format: request.format.clone(),
    };
    let mut parts = vec![Part::new(envelope::encode(&settings)?)];
    parts.extend(request.messages.iter().map(|message| {
        let tag = match message.role {
            Role::System => 1,
            Role::User => 2,
            Role::Assistant => 3,
        };
        Part::tagged(tag, message.content.as_bytes())
    }));
    Ok(Payload { parts })
}

/// What is around the text, then the text: it is the same piece as the message that it becomes.
pub(super) fn of_completion(completion: &Completion) -> Result<Payload, EnvelopeError> {
    let around = Completion { text: String::new(), ..completion.clone() };
    let parts = vec![Part::new(envelope::encode(&around)?), Part::new(completion.text.as_bytes())];
    Ok(Payload { parts })
}

/// What [`of_completion`] wrote.
pub(super) fn to_completion(payload: &Payload) -> Result<Completion, EnvelopeError> {
    let [around, text] = payload.parts.as_slice() else {
        return Err(EnvelopeError::Length { expected: 2, found: payload.parts.len() });
    };
    let mut completion: Completion = match envelope::decode(&around.bytes) {
        Err(EnvelopeError::Version { found: 1, .. }) => {
            envelope::decode::<CompletionV1>(&around.bytes)?.into()
        }
        Err(EnvelopeError::Version { found: 2, .. }) => {
            envelope::decode::<CompletionV2>(&around.bytes)?.into()
        }
        decoded => decoded?,
    };
    completion.text = String::from_utf8(text.bytes.to_vec())
        .map_err(|error| EnvelopeError::Malformed { reason: error.to_string() })?;
    Ok(completion)
}

#[cfg(test)]
mod tests {
    use playhouse_protocol::Usage;
    use playhouse_protocol::completion::{ChatMessage, Origin, ProviderKind, Route, StopReason};

    use super::*;

    #[test]
    fn an_answer_comes_back_as_it_was_and_shares_its_text_with_the_message_it_becomes() {
        let completion = Completion {
            text: "Good evening.".to_owned(),
            stop_reason: StopReason::Stop,
            usage: Usage { model_calls: 1, completion_tokens: 3, ..Usage::default() },
            usage_reported: true,
            origin: Origin { model: "m".to_owned(), provider: ProviderKind::Scripted, request_id: None },
            route: Route { reason: "It was asked for.".to_owned(), attempts: 2, ..Route::default() },
        };
        let stored = of_completion(&completion).unwrap();
        assert_eq!(to_completion(&stored).unwrap(), completion);
        let request = CompletionRequest::new(vec![ChatMessage::assistant(completion.text)]);
        assert_eq!(of_request(&request).unwrap().parts[1].bytes, stored.parts[1].bytes);
        assert!(to_completion(&Payload::default()).is_err());
    }

    /// What version 1 wrote for a completion of "Good evening." by the script `m`.
    const VERSION_1: &str = "5048010102000c000000c28244070000010000030000016d0300";

    /// What version 2 wrote for it, with a reason of "r" and two attempts.
    const VERSION_2: &str = "504801020200130000001d664aba0000010000030000016d030001720200000000";

    #[test]
    fn answers_of_older_versions_are_still_read() {
        let route = Route { reason: "r".to_owned(), attempts: 2, ..Route::default() };
        for (hex, route) in [(VERSION_1, Route::default()), (VERSION_2, route)] {
            let bytes = (0..hex.len()).step_by(2);
            let bytes: Vec<u8> = bytes.map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect();
            let stored = Payload { parts: vec![Part::new(bytes), Part::new("Good evening.".as_bytes())] };
            let completion = to_completion(&stored).unwrap();
            assert_eq!((completion.text.as_str(), completion.usage.completion_tokens), ("Good evening.", 3));
            assert_eq!(completion.route, route);
        }
    }
}
