//! The code generator: a spec in, code with what is known of it out.
//!
//! One model call a request. The answer is taken apart by [`crate::code::extract`]; what is found is parsed and
//! measured by [`crate::code::facts`], so that a reviewer (or a caller) stands on facts. An answer without any code is
//! a retryable failure, never an empty success.

mod agent;

pub use agent::CodeGenerator;
pub(crate) use agent::{check_context, check_sampling, check_spec, settled};

#[cfg(test)]
mod tests;
