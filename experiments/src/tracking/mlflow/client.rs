//! The client of one server.

use std::sync::Arc;
use std::time::Duration;

use playhouse_config::SecretRef;
use playhouse_protocol::RandomSource;
use reqwest::{Url, redirect};

use crate::tracking::TrackingError;

/// To connect.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// One request with its answer. The largest files take some seconds over a slow line.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);

/// The wait before the second attempt is drawn from zero to this; it doubles with each attempt.
const BACKOFF_INITIAL: Duration = Duration::from_millis(200);

/// The wait is never drawn from more than this.
const BACKOFF_MAX: Duration = Duration::from_secs(30);

/// The longest wait that a server can ask for: one that asks for an hour is asked again before.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(300);

/// What a client is made of.
#[derive(Debug, Clone)]
pub struct MlflowClientArgs {
    /// The server: checked settings have it right ([`ExperimentsConfig`](playhouse_config::settings::ExperimentsConfig)).
    pub tracking_uri: String,
    /// Where the bearer token is; read for each request, so that a new one is taken without a restart.
    pub token: Option<SecretRef>,
    /// Where the jitter of waits comes from.
    pub random: Arc<dyn RandomSource>,
}

/// Sends operations to one MLflow server. Has no state but its connections.
#[derive(Debug)]
pub struct MlflowClient {
    pub(super) http: reqwest::Client,
    pub(super) base: String,
    pub(super) token: Option<SecretRef>,
    random: Arc<dyn RandomSource>,
}

impl MlflowClient {
    /// A client; connects to nobody yet.
    ///
    /// # Errors
    /// When the address is none, or the system lacks what TLS needs.
    pub fn new(args: MlflowClientArgs) -> Result<Self, TrackingError> {
        let base = args.tracking_uri.trim_end_matches('/').to_owned();
        // The text is not in the error: it could hold a password.
        let url =
            Url::parse(&base).map_err(|_| TrackingError::Client("its address is not a URL".to_owned()))?;
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("playhouse/", env!("CARGO_PKG_VERSION")))
            .redirect(redirect::Policy::none())
            .retry(reqwest::retry::never())
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(REQUEST_TIMEOUT);
        if url.host_str().is_some_and(|host| matches!(host, "127.0.0.1" | "localhost" | "[::1]")) {
            builder = builder.no_proxy();
        }
        let http = builder.build().map_err(|error| TrackingError::Client(error.without_url().to_string()))?;
        Ok(Self { http, base, token: args.token, random: args.random })
    }

    /// The wait after the failed attempt number `attempt` (from 1): full jitter over a growing range, and behind what the
    /// server asked for.
    ///
    /// Source: the "full jitter" rule of "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
    pub(in crate::tracking) fn wait(&self, attempt: u32, retry_after: Option<Duration>) -> Duration {
        if let Some(retry_after) = retry_after {
            return retry_after.min(RETRY_AFTER_MAX).saturating_add(self.draw(BACKOFF_INITIAL));
        }
        let doublings = attempt.saturating_sub(1).min(16);
        self.draw(BACKOFF_INITIAL.saturating_mul(1 << doublings).min(BACKOFF_MAX))
    }

    fn draw(&self, limit: Duration) -> Duration {
        let limit_ms = u64::try_from(limit.as_millis()).unwrap_or(u64::MAX - 1);
        Duration::from_millis(self.random.next_u64() % (limit_ms + 1))
    }
}
