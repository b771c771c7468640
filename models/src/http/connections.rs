//! Connection pools, one per endpoint.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use reqwest::{Url, redirect};

use crate::network::{USER_AGENT, is_loopback, root_cause};

/// How long an unused connection is kept. Their number needs no bound of its own: it is that of the calls that ran at once. Shorter than the 60 seconds after which load balancers commonly cut one.
const IDLE_TIMEOUT: Duration = Duration::from_secs(50);

/// Connection pools, one per endpoint: catalog entries that lead to the same server share its pool.
///
/// Owned by the catalog; the connections end when the last client that uses them is dropped.
#[derive(Default)]
pub struct Connections {
    clients: Mutex<BTreeMap<(String, Duration), reqwest::Client>>,
}

impl Connections {
    /// The client for the server behind `url`.
    ///
    /// # Errors
    /// When the system lacks what TLS needs, for example CA certificates. The text says what is missing.
    pub(super) fn client(&self, url: &Url, connect_timeout: Duration) -> Result<reqwest::Client, String> {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (url.origin().ascii_serialization(), connect_timeout);
        if let Some(client) = clients.get(&key) {
            return Ok(client.clone());
        }
        let mut builder = reqwest::Client::builder()
            .user_agent(USER_AGENT)
            .redirect(redirect::Policy::none())
            .retry(reqwest::retry::never())
            .connect_timeout(connect_timeout)
            .pool_idle_timeout(IDLE_TIMEOUT);
        if is_loopback(url) {
            builder = builder.no_proxy();
        }
        let client = builder.build().map_err(|error| root_cause(&error))?;
        clients.insert(key, client.clone());
        Ok(client)
    }
}

impl fmt::Debug for Connections {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        f.debug_set().entries(clients.keys().map(|(origin, _)| origin)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::TIMEOUTS;

    #[tokio::test]
    async fn calls_share_one_connection_pool() {
        let connections = Connections::default();
        let url = Url::parse("http://127.0.0.1:1/v1").unwrap();
        for _ in 0..2 {
            connections.client(&url, TIMEOUTS.connect).unwrap();
        }
        assert_eq!(format!("{connections:?}"), r#"{"http://127.0.0.1:1"}"#);
    }
}
