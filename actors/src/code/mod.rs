//! What is known of code and of answers without a model: pure logic that knows no actor.
//!
//! Read in this order:
//!
//! 1. [`extract`]: from a model's answer to code, tests and notes;
//! 2. [`facts`]: what a parser and a count say of code;
//! 3. [`verdict`]: from a reviewer's answer to an opinion, whatever form it has;
//! 4. [`judge`]: facts and opinion become a judgement, and facts outrank the opinion.
//!
//! Nothing here panics on any text, and all of it takes time in proportion to the text's length: these
//! texts come from models and from strangers.

pub mod extract;
pub mod facts;
pub mod judge;
pub mod verdict;

pub(crate) mod scan;
pub mod text;
