//! What an answer is kept under.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::time::UNIX_EPOCH;

use playhouse_config::settings::{LocalSource, ModelConfig, ProviderConfig};
use playhouse_protocol::completion::CompletionRequest;
use playhouse_protocol::envelope::Wire as _;

use super::KeptAnswer;
use crate::digest::FieldDigest;
use crate::pull::known_model;

/// Counts up when the same request has another meaning from then on, so that no older answer is taken for it.
const KEY_VERSION: u8 = 1;

/// What an answer is kept under: a hash of the whole request and of who is asked. Never of a key or password, so
/// that a new one finds the old answers.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct CacheKey([u8; 32]);

/// The key is a hash itself: a part of it is enough for a table.
impl Hash for CacheKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write(&self.0[..8]);
    }
}

impl CacheKey {
    /// The key in hexadecimal digits, as shared caches name it.
    pub fn hex(&self) -> String {
        use fmt::Write as _;
        let mut text = String::with_capacity(64);
        for byte in self.0 {
            let _ = write!(text, "{byte:02x}");
        }
        text
    }
}

impl fmt::Debug for CacheKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CacheKey({})", self.hex())
    }
}

/// Who is asked: what two entries of the catalog must have in common for one's answers to be the other's.
#[derive(Debug, Clone)]
pub struct CacheScope {
    fields: FieldDigest,
    completion_tokens_default: u32,
}

impl CacheScope {
    /// The scope of a catalog entry. Looks at the size and time of a model file of the user's own: another file at
    /// the same path answers differently.
    pub fn new(config: &ModelConfig) -> Self {
        let mut fields = FieldDigest::new("kept answer");
        fields.bytes(&[KEY_VERSION, KeptAnswer::VERSION]);
        match &config.provider {
            ProviderConfig::OpenAi(http) => fields.text("open_ai").text(&http.base_url).text(&http.model),
            ProviderConfig::Anthropic(http) => {
                fields.text("anthropic").text(&http.base_url).text(&http.model)
            }
            ProviderConfig::Ollama(http) => fields.text("ollama").text(&http.base_url).text(&http.model),
            ProviderConfig::Scripted { script } => fields.text("scripted").text(&script.to_string_lossy()),
            ProviderConfig::Local(local) => match &local.source {
                LocalSource::Known(name) => {
                    let hash = known_model(name).map(|known| known.sha256.as_str());
                    fields.text("local known").text(name).optional(hash)
                }
                LocalSource::File(path) => {
                    let metadata = std::fs::metadata(path).ok();
                    let modified = metadata.as_ref().and_then(|metadata| metadata.modified().ok());
                    let age = modified.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
                    fields
                        .text("local file")
                        .text(&path.to_string_lossy())
                        .optional(metadata.map(|metadata| metadata.len().to_le_bytes()))
                        .optional(age.map(|age| age.as_nanos().to_le_bytes()))
                }
            },
        };
        let structured = config.provider.http().is_some_and(|http| http.structured_output);
        fields.bytes(&[u8::from(structured)]);
        fields.optional(config.context_tokens.map(u32::to_le_bytes));
        Self { fields, completion_tokens_default: config.completion_tokens_default }
    }

    /// The key of the answer to `request`.
    pub fn key(&self, request: &CompletionRequest) -> CacheKey {
        let mut fields = self.fields.clone();
        fields.request(request);
        if request.completion_tokens_max.is_none() {
            fields.bytes(&self.completion_tokens_default.to_le_bytes());
        }
        CacheKey(fields.end())
    }
}

#[cfg(test)]
mod tests {
    use playhouse_config::SecretRef;
    use playhouse_config::settings::HttpConfig;
    use playhouse_protocol::completion::{ChatMessage, ResponseFormat, Sampling};

    use super::*;

    fn http(base_url: &str, model: &str) -> HttpConfig {
        HttpConfig::new(base_url, model)
    }

    fn open_ai(base_url: &str, model: &str) -> ModelConfig {
        ModelConfig::new(ProviderConfig::OpenAi(http(base_url, model)))
    }

    fn request() -> CompletionRequest {
        CompletionRequest::new(vec![ChatMessage::user("ab"), ChatMessage::user("c")])
    }

    #[test]
    fn the_same_question_has_the_same_key_in_every_process() {
        // Held still: what a shared cache holds is found only as long as this does not change.
        let key = CacheScope::new(&open_ai("http://h/v1", "x")).key(&request());
        insta::assert_snapshot!(key.hex(), @"94636749095f93787cdf934e498b0223da427f96dc1c95f6e3a01d26e3ce84bc");
    }

    #[test]
    fn every_field_of_the_request_makes_another_key() {
        let scope = CacheScope::new(&open_ai("http://h/v1", "x"));
        let sampling = |sampling| CompletionRequest { sampling, ..request() };
        let none = Sampling::default();
        let schema = |schema: &str| ResponseFormat::JsonSchema { name: "n".into(), schema: schema.into() };
        let all = [
            request(),
            CompletionRequest::new(vec![ChatMessage::user("a"), ChatMessage::user("bc")]),
            CompletionRequest::new(vec![ChatMessage::user("abc")]),
            CompletionRequest::new(vec![ChatMessage::system("ab"), ChatMessage::user("c")]),
            sampling(Sampling { temperature: Some(0.0), ..none }),
            sampling(Sampling { temperature: Some(1.0), ..none }),
            sampling(Sampling { top_p: Some(1.0), ..none }),
            sampling(Sampling { top_k: Some(1), ..none }),
            sampling(Sampling { seed: Some(1), ..none }),
            CompletionRequest { completion_tokens_max: Some(5), ..request() },
            CompletionRequest { stop: vec!["ab".into()], ..request() },
            CompletionRequest { stop: vec!["a".into(), "b".into()], ..request() },
            CompletionRequest { format: schema("{}"), ..request() },
            CompletionRequest { format: schema("true"), ..request() },
        ];
        let mut keys: Vec<_> = all.iter().map(|request| scope.key(request)).collect();
        keys.sort();
        keys.dedup();
        assert_eq!(keys.len(), all.len());
    }

    #[test]
    fn another_model_endpoint_or_form_makes_another_key_and_another_secret_does_not() {
        let key = |config: &ModelConfig| CacheScope::new(config).key(&request());
        let one = open_ai("http://h/v1", "x");
        assert_ne!(key(&one), key(&open_ai("http://h/v1", "y")));
        assert_ne!(key(&one), key(&open_ai("http://other/v1", "x")));
        assert_ne!(key(&one), key(&ModelConfig::new(ProviderConfig::Ollama(http("http://h/v1", "x")))));
        assert_ne!(key(&one), key(&ModelConfig { completion_tokens_default: 7, ..one.clone() }));
        let keyed = HttpConfig { api_key: Some(SecretRef::Env("KEY".into())), ..http("http://h/v1", "x") };
        assert_eq!(key(&one), key(&ModelConfig::new(ProviderConfig::OpenAi(keyed))));
    }

    #[test]
    fn another_model_file_at_the_same_path_makes_another_key() {
        use playhouse_config::settings::LocalConfig;

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("m.gguf");
        let source = LocalSource::File(path.clone());
        let config = ModelConfig::new(ProviderConfig::Local(LocalConfig { source, threads: None }));
        std::fs::write(&path, "one").unwrap();
        let first = CacheScope::new(&config).key(&request());
        assert_eq!(first, CacheScope::new(&config).key(&request()));
        std::fs::write(&path, "another").unwrap();
        assert_ne!(first, CacheScope::new(&config).key(&request()));
    }
}
