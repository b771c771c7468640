//! Checks that an answer has the form that was asked for. A server that has structured output makes it so, as a rule;
//! but some servers look at a part of a schema only, and some ignore it.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use jsonschema::Validator;
use playhouse_protocol::completion::{Completion, CompletionRequest, StopReason};
use serde_json::Value;

use super::request::{Schema, wrong};
use crate::client::ModelInfo;
use crate::error::ModelErrorKind;

/// Compiled schemas that are kept per model. Agents have one or two schemas each; one that is used again is kept.
const COMPILED_MAX: usize = 32;

/// The compiled schemas of a model, the one that was used last at the end.
#[derive(Default)]
pub(super) struct Schemas {
    compiled: Mutex<VecDeque<(String, Arc<Validator>)>>,
}

/// The check of one answer.
pub(super) struct SchemaCheck {
    /// The schema's name.
    name: String,
    validator: Arc<Validator>,
}

impl Schemas {
    /// The check of the answer to `request`; `None` where any text will do, or the server has no structured output.
    ///
    /// # Errors
    /// When the schema is none, or refers to one elsewhere: nothing is fetched for it.
    pub(super) fn check_of(
        &self,
        request: &CompletionRequest,
        info: &ModelInfo,
    ) -> Result<Option<SchemaCheck>, ModelErrorKind> {
        let Some(schema) = Schema::of(request, info)? else { return Ok(None) };
        let name = schema.name.to_owned();
        let text = schema.text.get();
        if let Some(validator) = self.kept(text) {
            return Ok(Some(SchemaCheck { name, validator }));
        }
        let validator = jsonschema::validator_for(&schema.value()?)
            .map_err(|_| wrong("format", format!("the schema {name:?} is not a JSON schema")))?;
        let validator = Arc::new(validator);
        self.keep(text, &validator);
        Ok(Some(SchemaCheck { name, validator }))
    }

    fn kept(&self, text: &str) -> Option<Arc<Validator>> {
        let mut compiled = self.compiled.lock().unwrap_or_else(PoisonError::into_inner);
        let place = compiled.iter().position(|(known, _)| known == text)?;
        let entry = compiled.remove(place)?;
        let validator = Arc::clone(&entry.1);
        compiled.push_back(entry);
        Some(validator)
    }

    fn keep(&self, text: &str, validator: &Arc<Validator>) {
        let mut compiled = self.compiled.lock().unwrap_or_else(PoisonError::into_inner);
        while compiled.len() >= COMPILED_MAX {
            compiled.pop_front();
        }
        compiled.push_back((text.to_owned(), Arc::clone(validator)));
    }
}

impl SchemaCheck {
    /// Checks an answer. One that was cut or withheld cannot fit, and its stop reason says so.
    ///
    /// # Errors
    /// When it does not fit. Tells the place in the schema, never the answer's text, of which names of properties may
    /// be a part too.
    pub(super) fn check(&self, completion: &Completion) -> Result<(), ModelErrorKind> {
        if completion.stop_reason != StopReason::Stop {
            return Ok(());
        }
        let out = |reason| ModelErrorKind::OutOfSchema { schema: self.name.clone(), reason };
        let value: Value = serde_json::from_str(&completion.text).map_err(|error| {
            out(format!("it is not JSON (line {}, column {})", error.line(), error.column()))
        })?;
        self.validator.validate(&value).map_err(|error| out(format!("it is against {}", error.schema_path())))
    }
}

impl fmt::Debug for Schemas {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let compiled = self.compiled.lock().unwrap_or_else(PoisonError::into_inner);
        f.debug_struct("Schemas").field("compiled", &compiled.len()).finish()
    }
}

#[cfg(test)]
mod tests {
    use playhouse_protocol::Usage;
    use playhouse_protocol::completion::{ChatMessage, Origin, ProviderKind, ResponseFormat, Route};

    use super::*;
    use crate::testing::info;

    const SCHEMA: &str = r#"{"type":"object","properties":{"score":{"type":"integer","maximum":10}},"required":["score"],"additionalProperties":false}"#;

    fn request(schema: &str) -> CompletionRequest {
        let format = ResponseFormat::JsonSchema { name: "verdict".to_owned(), schema: schema.to_owned() };
        CompletionRequest { format, ..CompletionRequest::new(vec![ChatMessage::user("x")]) }
    }

    fn answer(text: &str, stop_reason: StopReason) -> Completion {
        Completion {
            text: text.to_owned(),
            stop_reason,
            usage: Usage::default(),
            usage_reported: true,
            origin: Origin { model: "m".to_owned(), provider: ProviderKind::OpenAi, request_id: None },
            route: Route::default(),
        }
    }

    fn check(text: &str, expected: Result<(), &str>) {
        let schemas = Schemas::default();
        let check = schemas.check_of(&request(SCHEMA), &info(ProviderKind::OpenAi)).unwrap().unwrap();
        let outcome = check.check(&answer(text, StopReason::Stop)).map_err(|kind| kind.to_string());
        let expected =
            expected.map_err(|reason| format!("the answer does not fit the schema \"verdict\": {reason}"));
        assert_eq!(outcome, expected, "{text}");
    }

    #[test]
    fn an_answer_must_fit_and_its_text_is_not_told() {
        check(r#"{"score": 7}"#, Ok(()));
        check(r#"{"score": 11}"#, Err("it is against /properties/score/maximum"));
        check(r#"{"score": "secret"}"#, Err("it is against /properties/score/type"));
        check("{}", Err("it is against /required"));
        check(r#"{"score": 1, "secret": 2}"#, Err("it is against /additionalProperties"));
        check("Here it is: {\"score\": 7}", Err("it is not JSON (line 1, column 1)"));
        check("", Err("it is not JSON (line 1, column 0)"));
    }

    #[test]
    fn an_answer_that_was_cut_or_withheld_is_not_checked() {
        let check =
            Schemas::default().check_of(&request(SCHEMA), &info(ProviderKind::OpenAi)).unwrap().unwrap();
        for stop_reason in [StopReason::Length, StopReason::ContentFilter] {
            assert_eq!(check.check(&answer("{\"sco", stop_reason)), Ok(()));
        }
    }

    #[test]
    fn nothing_is_checked_where_no_schema_is_sent() {
        let without = ModelInfo { structured_output: false, ..info(ProviderKind::OpenAi) };
        let text = CompletionRequest::new(vec![ChatMessage::user("x")]);
        assert!(Schemas::default().check_of(&request(SCHEMA), &without).unwrap().is_none());
        assert!(Schemas::default().check_of(&text, &info(ProviderKind::OpenAi)).unwrap().is_none());
    }

    #[test]
    fn what_is_no_schema_is_refused_before_anybody_is_asked() {
        for schema in ["{", r#"{"type":"nothing"}"#, r#"{"$ref":"http://127.0.0.1:1/x"}"#] {
            let refused = Schemas::default().check_of(&request(schema), &info(ProviderKind::OpenAi));
            let Err(ModelErrorKind::InvalidRequest { field: "format", reason }) = refused.map(|_| ()) else {
                panic!("{schema}")
            };
            assert!(reason.contains("verdict"), "{reason}");
        }
    }

    #[test]
    fn a_schema_is_compiled_once_and_the_oldest_is_forgotten() {
        let schemas = Schemas::default();
        let info = info(ProviderKind::OpenAi);
        let validator = |number: usize| {
            let request = request(&format!(r#"{{"maximum":{number}}}"#));
            schemas.check_of(&request, &info).unwrap().unwrap().validator
        };
        let first = validator(0);
        for number in 1..COMPILED_MAX {
            validator(number);
        }
        assert!(Arc::ptr_eq(&first, &validator(0)));
        validator(COMPILED_MAX);
        assert!(Arc::ptr_eq(&first, &validator(0)));
        assert_eq!(schemas.compiled.lock().unwrap().len(), COMPILED_MAX);
        assert!(!schemas.compiled.lock().unwrap().iter().any(|(text, _)| text == r#"{"maximum":1}"#));
    }
}
