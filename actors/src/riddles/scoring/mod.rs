//! Whether an answer to a riddle is right.
//!
//! In this order, each in a file of its own:
//!
//! 1. `plain` (with `latex`): signs are written one way; emphasis, LaTeX, tags, thoughts and what is struck through go;
//! 2. `extract`: what the answer comes down to: what it announces as final (`announce`), the last `\boxed{…}`, what it announces
//!    as an answer, a short answer in front of its reasons, else its last line. Where it takes that back (`retract`), what
//!    comes then;
//! 3. `refusal`: an answer that refuses to be any is refused; one that was cut before it came to an answer is truncated;
//! 4. `claim`: of the final answer the sentence that claims something, without asides and reasons, and without what it says is
//!    not so;
//! 5. `number` (with `digits`, `numbers` and `units`) or `words`: whether that is what is accepted. Several alternatives are no answer;
//! 6. [`score()`]: the verdict, and how it came about.
//!
//! [`signals()`] describes the way to the answer: long, hedging, taking itself back. It says nothing about right or wrong. [`vote()`] and
//! [`elect()`] choose among several answers to the same question.
//!
//! The rules know no riddle and no model. `corpus` holds what answers look like, and what a careful reader says of each.

mod latex;
mod plain;
mod tokens;

mod announce;
mod extract;
mod refusal;
mod retract;

mod claim;
mod digits;
mod number;
mod numbers;
mod units;
mod words;

mod score;
mod signals;
mod vote;

#[cfg(test)]
mod corpus;

pub use extract::final_answer;
pub use score::score;
pub use signals::signals;
pub use vote::{elect, vote};
