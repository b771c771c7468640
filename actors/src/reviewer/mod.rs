//! The code reviewer: code in, a judgement out.
//!
//! The code is parsed and measured first; what that tells goes into the prompt. One model call a request, with a
//! JSON schema where the provider has it; whatever comes back is read tolerantly ([`crate::code::verdict`]). Then facts
//! and opinion become a judgement in which facts outrank the model ([`crate::code::judge`]).

mod agent;

pub use agent::CodeReviewer;

#[cfg(test)]
mod tests;
