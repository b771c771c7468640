//! What survives a panic, a restart of the runtime, a cancel, a second submit: nothing accepted is lost, and
//! nothing that is written down is asked again.

mod acting;
mod books;
mod keys;
mod order;
mod plans;
mod recovery;
mod retention;
mod retries;
mod steps;
