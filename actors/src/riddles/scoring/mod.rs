//! Whether an answer to a riddle is right.
//!
//! 1. [`final_answer`] finds what an answer comes down to;
//! 2. [`score()`] holds it against what is accepted, and says how it came to its verdict;
//! 3. [`signals()`] describes the way to the answer: long, hedging, taking itself back. It says nothing about right or wrong;
//! 4. [`vote()`] and [`elect()`] choose among several answers to the same question.

mod extract;
mod normal;
mod score;
mod signals;
mod vote;

pub use extract::final_answer;
pub use score::score;
pub use signals::signals;
pub use vote::{elect, vote};
