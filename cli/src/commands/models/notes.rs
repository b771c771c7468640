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
        notes.push(offer(what, "openai", "https://api.openai.com/v1", "gpt-4o-mini", Some("OPENAI_API_KEY")));
    }
    if variables.contains(&"ANTHROPIC_API_KEY") && !is_used("api.anthropic.com") {
        let what = "ANTHROPIC_API_KEY is set (Anthropic's endpoint for OpenAI clients)";
        let (url, key) = ("https://api.anthropic.com/v1", Some("ANTHROPIC_API_KEY"));
        notes.push(offer(what, "claude", url, "claude-sonnet-4-5", key));
    }
    if let Some(models) = ollama.filter(|_| !is_used(":11434")) {
        let model = models.first().map_or("qwen2.5-coder:7b", String::as_str);
        notes.push(offer("Ollama is running", "ollama", "http://127.0.0.1:11434/v1", model, None));
    }
    notes
}

fn offer(what: &str, name: &str, base_url: &str, model: &str, key: Option<&str>) -> String {
    let key = key.map(|key| format!("\n      api_key: env:{key}")).unwrap_or_default();
    format!(
        "{what}. To use it, add this to playhouse.yaml and choose it with --model {name}:

  models:
    {name}:
      provider: open_ai
      base_url: {base_url}
      model: {model}{key}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The YAML of a note.
    fn yaml(note: &str) -> &str {
        note.split_once("\n\n").unwrap().1
    }

    #[test]
    fn what_is_offered_can_be_pasted_and_is_not_offered_again() {
        let all = offers(
            &Config::default(),
            &["OPENAI_API_KEY", "ANTHROPIC_API_KEY"],
            Some(&["llama3:8b".to_owned()]),
        );
        assert_eq!(all.len(), 3);
        assert!(all[2].contains("model: llama3:8b"));
        for note in &all {
            let config = playhouse_config::parse_str("pasted", yaml(note)).unwrap();
            assert_eq!(config.models.len(), 3, "{note}");
        }
        let used = playhouse_config::parse_str("pasted", yaml(&all[0])).unwrap();
        assert!(offers(&used, &["OPENAI_API_KEY"], None).is_empty());
    }

    #[test]
    fn nothing_is_offered_where_nothing_is_noticed() {
        assert!(offers(&Config::default(), &[], None).is_empty());
    }
}
