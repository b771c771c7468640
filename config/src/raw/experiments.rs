//! Where experiments and the registry of models are kept, as it is written.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where experiments and the registry of models are kept.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RawExperiments {
    /// The folder of runs and of the registry. Left out, `playhouse/experiments` in the user's folder for state. A relative
    /// path begins at this file's folder.
    #[schemars(length(min = 1))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) dir: Option<String>,
    /// The address of an MLflow server that is told of runs and registered models, without `/api`. Left out, nobody is told.
    #[schemars(length(min = 1))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tracking_uri: Option<String>,
    /// Where the bearer token for that server is: `env:NAME` or `file:PATH`, never the token itself.
    #[schemars(regex(pattern = r"^(env:[A-Za-z_][A-Za-z0-9_]*|file:.+)$"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tracking_token: Option<String>,
}
