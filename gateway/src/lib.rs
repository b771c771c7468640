//! Doors of Playhouse for other processes. So far one: the admin port, plain HTTP for operators and Prometheus.
//!
//! | path | answer |
//! |---|---|
//! | `/metrics` | everything that was counted, in Prometheus' text format 0.0.4 |
//! | `/healthz` | 200 as long as the process answers |
//! | `/readyz` | 200 when the supervision tree is up, 503 otherwise |
//!
//! The port has no authentication: [`AdminServer::bind`] refuses an address that is not on this machine.

mod admin;

pub use admin::{AdminError, AdminServer};
