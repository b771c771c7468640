//! The admin port.

use std::future::Future;
use std::net::SocketAddr;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use playhouse_runtime::Runtime;
use playhouse_runtime::protocol::{Failure, FailureClass};
use playhouse_runtime::supervisors::NodeState;
use tokio::net::TcpListener;

/// The content type of Prometheus' text format.
const METRICS_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Why the admin port is not there.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// The address can be reached from other machines.
    #[error("open the admin port at {address}: it has no authentication and must stay on this machine")]
    NotLoopback {
        /// The address.
        address: SocketAddr,
    },
    /// The operating system refused the address.
    #[error("open the admin port at {address}: {source}")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The operating system ended the port.
    #[error("serve the admin port: {0}")]
    Serve(#[source] std::io::Error),
}

impl AdminError {
    /// What to decide on.
    pub const fn class(&self) -> FailureClass {
        match self {
            Self::NotLoopback { .. } | Self::Bind { .. } => FailureClass::InvalidInput,
            Self::Serve(_) => FailureClass::Internal,
        }
    }

    /// What a person can do about it.
    pub const fn hint(&self) -> Option<&'static str> {
        match self {
            Self::NotLoopback { .. } => Some("Use an address such as 127.0.0.1:9090."),
            Self::Bind { .. } => Some("Choose another port; port 0 takes any free one."),
            Self::Serve(_) => None,
        }
    }
}

/// A bound admin port; it answers while [`serve`](Self::serve) runs.
#[derive(Debug)]
pub struct AdminServer {
    listener: TcpListener,
    address: SocketAddr,
    runtime: Runtime,
}

impl AdminServer {
    /// Opens the port.
    ///
    /// # Errors
    /// When the address is not on this machine or is taken.
    pub async fn bind(address: SocketAddr, runtime: Runtime) -> Result<Self, AdminError> {
        if !address.ip().is_loopback() {
            return Err(AdminError::NotLoopback { address });
        }
        let bind = |source| AdminError::Bind { address, source };
        let listener = TcpListener::bind(address).await.map_err(bind)?;
        let address = listener.local_addr().map_err(bind)?;
        Ok(Self { listener, address, runtime })
    }

    /// Where it listens; tells the port that was chosen for port 0.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers until `stop` is done; requests under way are finished.
    ///
    /// # Errors
    /// When the operating system ends the port.
    pub async fn serve(self, stop: impl Future<Output = ()> + Send + 'static) -> Result<(), AdminError> {
        let app = Router::new()
            .route("/metrics", get(metrics))
            .route("/healthz", get(health))
            .route("/readyz", get(ready))
            .with_state(self.runtime);
        axum::serve(self.listener, app).with_graceful_shutdown(stop).await.map_err(AdminError::Serve)
    }
}

async fn metrics(State(runtime): State<Runtime>) -> Response {
    match runtime.metrics_text().await {
        Ok(text) => ([(header::CONTENT_TYPE, METRICS_TYPE)], text).into_response(),
        Err(error) => (StatusCode::SERVICE_UNAVAILABLE, format!("failed to {error}\n")).into_response(),
    }
}

/// Whether the process is of use, as opposed to whether it can take work at the moment.
async fn health(State(runtime): State<Runtime>) -> Response {
    health_of(runtime.failure())
}

fn health_of(failure: Option<Failure>) -> Response {
    match failure {
        None => "ok\n".into_response(),
        Some(failure) => (StatusCode::SERVICE_UNAVAILABLE, format!("failed to {failure}\n")).into_response(),
    }
}

async fn ready(State(runtime): State<Runtime>) -> Response {
    match runtime.tree().await {
        Ok(tree) if tree.children.iter().all(|child| child.state == NodeState::Running) => {
            "ready\n".into_response()
        }
        Ok(_) => (StatusCode::SERVICE_UNAVAILABLE, "a part of the tree is down\n").into_response(),
        Err(error) => (StatusCode::SERVICE_UNAVAILABLE, format!("failed to {error}\n")).into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_runtime_that_can_work_no_more_is_not_healthy() {
        assert_eq!(health_of(None).status(), StatusCode::OK);
        let failure = Failure::internal("go on: the supervision tree of the runtime has ended: killed");
        assert_eq!(health_of(Some(failure)).status(), StatusCode::SERVICE_UNAVAILABLE);
    }
}
