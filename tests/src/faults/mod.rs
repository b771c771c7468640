//! Faults of model providers, by name, on a server of loopback.
//!
//! [`GROUPS`] is the table: what the server does, and what a client is to make of it. `suite/model_faults.rs` plays every
//! one of them and writes `docs/model-faults.md` from it.

mod bodies;
mod connections;
mod fault;
mod server;
mod statuses;
mod streams;
mod wire;

pub use fault::{Act, Call, End, Fault, Outcome, Place};
pub use server::{FaultServer, Seen};
pub use wire::TEXT;

/// The key that the suite's client sends. It must be in no error and no log.
pub const KEY: &str = "sk-faults-4f9c2e81d7a6";

/// A part of the suite's prompt. It must be in no error, and in no log above `trace`.
pub const PROMPT: &str = "marker-of-the-prompt";

/// A second address of loopback, as another host than the server's.
pub const OTHER_HOST: &str = "127.0.0.2";

/// A group of faults under its title.
#[derive(Debug)]
pub struct Group {
    /// Its title.
    pub title: &'static str,
    /// Its faults.
    pub faults: &'static [Fault],
}

impl Group {
    /// The fault of this name.
    pub(crate) fn find(name: &str) -> Option<&'static Fault> {
        GROUPS.iter().flat_map(|group| group.faults).find(|fault| fault.name == name)
    }
}

/// Every group of faults.
pub static GROUPS: &[Group] = &[
    Group { title: "Too many requests", faults: statuses::LIMITS },
    Group { title: "Statuses", faults: statuses::STATUSES },
    Group { title: "Connections", faults: connections::CONNECTIONS },
    Group { title: "Answers", faults: bodies::BODIES },
    Group { title: "Streams", faults: streams::STREAMS },
];
