//! What could be used and is not: noticed, offered, never used without being asked for.

use playhouse_config::Config;
use playhouse_config::settings::HttpConfig;

/// A note for each provider that could be used and is in no entry of the catalog. `variables` are the names of
/// environment variables that are set; `ollama` is what a running Ollama has.
pub(super) fn offers(config: &Config, variables: &[&str], ollama: Option<&[String]>) -> Vec<String> {
    let endpoints: Vec<&HttpConfig> =
        config.models.values().filter_map(|model| model.provider.http()).collect();
    let is_used = |part: &str| endpoints.iter().any(|http| http.base_url.contains(part));
    let mut notes = Vec::new();
    if variables.contains(&"OPENAI_API_KEY") && !is_used("api.openai.com") {
        let what = "OPENAI_API_KEY is set";
        let endpoint = Endpoint {
            provider: "open_ai",
            base_url: "https://api.openai.com/v1",
            model: "gpt-4o-mini",
            key: Some("OPENAI_API_KEY"),
        };
        notes.push(offer(what, "openai", &endpoint));
    }
    if variables.contains(&"ANTHROPIC_API_KEY") && !is_used("api.anthropic.com") {
        let endpoint = Endpoint {
            provider: "anthropic",
            base_url: "https://api.anthropic.com/v1",
            model: "claude-sonnet-4-5",
            key: Some("ANTHROPIC_API_KEY"),
        };
        notes.push(offer("ANTHROPIC_API_KEY is set", "claude", &endpoint));
    }
    if let Some(models) = ollama.filter(|_| !is_used(":11434")) {
        let model = models.first().map_or("qwen2.5-coder:7b", String::as_str);
        let endpoint = Endpoint { provider: "ollama", base_url: "http://127.0.0.1:11434", model, key: None };
        notes.push(offer("Ollama is running", "ollama", &endpoint));
    }
    notes
}

/// What an offered entry says.
struct Endpoint<'a> {
    provider: &'a str,
    base_url: &'a str,
    model: &'a str,
    /// The environment variable with the key.
    key: Option<&'a str>,
}

fn offer(what: &str, name: &str, endpoint: &Endpoint<'_>) -> String {
    let Endpoint { provider, base_url, model, key } = endpoint;
    let key = key.map(|key| format!("\n      api_key: env:{key}")).unwrap_or_default();
    format!(
        "{what}. To use it, add this to playhouse.yaml and choose it with --model {name}:

  models:
    {name}:
      provider: {provider}
      base_url: {base_url}
      model: {model}{key}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_noticed_is_offered_in_its_own_form() {
        let all = offers(
            &Config::default(),
            &["OPENAI_API_KEY", "ANTHROPIC_API_KEY"],
            Some(&["llama3:8b".to_owned()]),
        );
        let written = |name, provider, base_url, model, key| {
            format!(
                "  models:\n    {name}:\n      provider: {provider}\n      base_url: {base_url}\n      model: {model}{key}"
            )
        };
        let expected = [
            written(
                "openai",
                "open_ai",
                "https://api.openai.com/v1",
                "gpt-4o-mini",
                "\n      api_key: env:OPENAI_API_KEY",
            ),
            written(
                "claude",
                "anthropic",
                "https://api.anthropic.com/v1",
                "claude-sonnet-4-5",
                "\n      api_key: env:ANTHROPIC_API_KEY",
            ),
            written("ollama", "ollama", "http://127.0.0.1:11434", "llama3:8b", ""),
        ];
        assert_eq!(all.len(), expected.len());
        for (note, expected) in all.iter().zip(&expected) {
            assert!(note.ends_with(expected), "{note}");
        }
    }

    #[test]
    fn what_is_used_is_not_offered_again() {
        let note = offers(&Config::default(), &["OPENAI_API_KEY"], None).remove(0);
        let (_, yaml) = note.split_once("\n\n").unwrap();
        let used = playhouse_config::parse_str("pasted", yaml).unwrap();
        assert_eq!(used.models.len(), 3);
        assert!(offers(&used, &["OPENAI_API_KEY"], None).is_empty());
    }

    #[test]
    fn nothing_is_offered_where_nothing_is_noticed() {
        assert!(offers(&Config::default(), &[], None).is_empty());
    }
}
