//! Registered models, mirrored.

use reqwest::Method;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::json;

use super::MlflowClient;
use super::http::{CallError, SendError};
use super::send::{Sent, missing, refused};
use crate::tracking::spool::{AliasChange, NewVersion, Operation};

/// The tag with our number of a version: the server counts its own.
const VERSION_TAG: &str = "playhouse.version";

/// The tag with the hash of a version's settings.
const HASH_TAG: &str = "playhouse.sha256";

/// The tag that says why a version was registered.
const REASON_TAG: &str = "playhouse.reason";

/// Pages of versions that are read, with as many versions each as the server gives.
const PAGES_MAX: usize = 100;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Versions {
    model_versions: Vec<Version>,
    next_page_token: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Version {
    version: String,
    tags: Vec<Tag>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Tag {
    key: String,
    value: String,
}

impl MlflowClient {
    /// Makes the version, unless it is there.
    pub(super) async fn mirror_version(&self, version: &NewVersion) -> Result<(), CallError> {
        let name = json!({ "name": version.model });
        match self.post::<IgnoredAny>("registered-models/create", &name).await {
            Ok(_) => {}
            Err(CallError::Refused(refused)) if refused.code == "RESOURCE_ALREADY_EXISTS" => {}
            Err(error) => return Err(error),
        }
        if self.version_there(&version.model, version.version).await?.is_some() {
            return Ok(());
        }
        let tag = |key: &str, value: String| json!({ "key": key, "value": value });
        let body = json!({
            "name": version.model,
            // The server takes an address with an absolute path only.
            "source": format!("playhouse:/{}/{}", version.model, version.sha256),
            "tags": [
                tag(VERSION_TAG, version.version.to_string()),
                tag(HASH_TAG, version.sha256.clone()),
                tag(REASON_TAG, super::names::value(&version.reason, super::names::TAG_CHARS_MAX)),
            ],
        });
        self.post::<IgnoredAny>("model-versions/create", &body).await.map(|_| ())
    }

    /// Sets an alias or takes it away.
    pub(super) async fn mirror_alias(&self, change: &AliasChange) -> Result<Sent, SendError> {
        let operation = || Operation::Alias(change.clone());
        match self.alias(change).await {
            Ok(true) => Ok(Sent::default()),
            Ok(false) => Ok(refused(&operation(), missing("the server does not have the version"))),
            Err(CallError::Send(error)) => Err(error),
            Err(CallError::Refused(why)) => Ok(refused(&operation(), why.into_refusal())),
        }
    }

    /// Whether the version is there that the alias shall lead to.
    async fn alias(&self, change: &AliasChange) -> Result<bool, CallError> {
        let AliasChange { model, alias, version, .. } = change;
        let Some(version) = version else {
            let body = json!({ "name": model, "alias": alias });
            let request = self.request(Method::DELETE, "registered-models/alias").json(&body);
            return match self.answer::<IgnoredAny>(request).await {
                Ok(_) => Ok(true),
                Err(CallError::Refused(refused)) if refused.code == "RESOURCE_DOES_NOT_EXIST" => Ok(true),
                Err(error) => Err(error),
            };
        };
        let Some(theirs) = self.version_there(model, *version).await? else { return Ok(false) };
        let body = json!({ "name": model, "alias": alias, "version": theirs });
        self.post::<IgnoredAny>("registered-models/alias", &body).await.map(|_| true)
    }

    /// The server's number of one of our versions.
    async fn version_there(&self, model: &str, version: u32) -> Result<Option<String>, CallError> {
        let ours = version.to_string();
        // Names of registered models hold no quotes.
        let filter = format!("name='{model}'");
        let mut page_token = String::new();
        for _ in 0..PAGES_MAX {
            let mut query = vec![("filter", filter.as_str())];
            if !page_token.is_empty() {
                query.push(("page_token", &page_token));
            }
            let request = self.question("model-versions/search", &query);
            let page: Versions = self.answer(request).await?;
            let is_ours = |version: &Version| {
                version.tags.iter().any(|tag| tag.key == VERSION_TAG && tag.value == ours)
            };
            if let Some(found) = page.model_versions.into_iter().find(is_ours) {
                return Ok(Some(found.version));
            }
            if page.next_page_token.is_empty() {
                return Ok(None);
            }
            page_token = page.next_page_token;
        }
        Ok(None)
    }
}
