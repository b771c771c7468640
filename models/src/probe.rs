//! Notices servers on this machine, so that they can be offered. Nothing is ever sent to one unasked but the
//! question what it has.

use std::time::Duration;

use serde::Deserialize;

/// Where Ollama listens when nobody tells it otherwise.
const OLLAMA: &str = "http://127.0.0.1:11434";

/// How long to wait: a server on this machine answers in milliseconds, and most machines have none.
const LIMIT: Duration = Duration::from_millis(300);

/// The largest answer that is read, in bytes: a thousand models take a third of it.
const ANSWER_BYTES_MAX: usize = 1024 * 1024;

#[derive(Deserialize)]
struct Tags {
    #[serde(default)]
    models: Vec<Tag>,
}

#[derive(Deserialize)]
struct Tag {
    name: String,
}

/// The models of an Ollama that runs on this machine; `None` when none answers at its usual port.
pub async fn ollama() -> Option<Vec<String>> {
    tokio::time::timeout(LIMIT, models_at(OLLAMA)).await.ok().flatten()
}

async fn models_at(base_url: &str) -> Option<Vec<String>> {
    // Without a proxy: this machine is never behind one.
    let client = reqwest::Client::builder().no_proxy().connect_timeout(LIMIT).build().ok()?;
    let mut response = client.get(format!("{base_url}/api/tags")).send().await.ok()?;
    if !response.status().is_success() {
        return None;
    }
    let mut answer = Vec::new();
    while let Some(part) = response.chunk().await.ok()? {
        answer.extend_from_slice(&part);
        if answer.len() > ANSWER_BYTES_MAX {
            return None;
        }
    }
    let tags: Tags = serde_json::from_slice(&answer).ok()?;
    Some(tags.models.into_iter().map(|tag| tag.name).collect())
}

#[cfg(test)]
mod tests {
    use wiremock::matchers::{method, path};
    use wiremock::{Mock, MockServer, ResponseTemplate};

    use super::*;

    async fn models(status: u16, body: &str) -> Option<Vec<String>> {
        let server = MockServer::start().await;
        let answer = ResponseTemplate::new(status).set_body_string(body);
        Mock::given(method("GET")).and(path("/api/tags")).respond_with(answer).mount(&server).await;
        models_at(&server.uri()).await
    }

    #[tokio::test]
    async fn the_models_of_a_server_are_noticed_and_other_servers_are_not_taken_for_one() {
        let answer = r#"{"models": [{"name": "llama3:8b", "size": 1}]}"#;
        assert_eq!(models(200, answer).await, Some(vec!["llama3:8b".to_owned()]));
        assert_eq!(models(200, r#"{"models": []}"#).await, Some(Vec::new()));
        assert_eq!(models(404, answer).await, None);
        assert_eq!(models(200, "hello").await, None);
        assert_eq!(models_at("http://127.0.0.1:9").await, None);
    }
}
