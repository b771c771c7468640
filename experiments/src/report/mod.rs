//! Reports for people and programs.
//!
//! Pure: a [`Report`](crate::analysis::Report) goes in, text comes out. Read in this order:
//!
//! 1. `claims`: one sentence for each comparison, what may be claimed and what not;
//! 2. `tables`: everything else as rows of plain text, for Markdown, pages and terminals alike; `numbers` writes them;
//! 3. `markdown`; `page` with `style`, `plot` (pictures as SVG, chosen in `pictures`) and `details`, what was asked and answered;
//! 4. `json`: the form that is compared byte for byte; `escape`: texts that come from outside.

mod claims;

mod numbers;
mod tables;

mod markdown;

mod details;
mod page;
mod pictures;
mod plot;
mod style;

mod escape;
mod json;

pub use claims::{Claim, claims};
pub use details::{AnswerDetail, Details, ITEMS_MAX, ItemDetail, TEXT_CHARS_MAX};
pub use json::json;
pub use markdown::markdown;
pub use page::html;
pub use tables::{Rows, rows};

#[cfg(test)]
mod tests;
