//! A child as its supervisor is told of it: what it is called, how it starts, how it stops, when it returns.

mod spec;

mod address;
mod mailbox;
mod start;

pub(crate) use address::Slot;
pub use address::{Address, AddressError};
pub use mailbox::MailboxGauge;
pub use spec::ChildSpec;
pub(crate) use spec::Factory;
pub use start::{StartContext, StartError};
