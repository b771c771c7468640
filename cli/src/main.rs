//! The `playhouse` binary: every job from a terminal. Thin: it reads, asks the runtime, and prints.
//!
//! Read in this order: [`args`] is what can be asked, [`app`] and [`commands`] do it, [`render`] turns results
//! into text, [`progress`] shows what goes on, [`ui`] and [`output`] write, [`exit`] tells how it ended.

mod args;

mod app;
mod commands;
mod session;

mod render;

mod progress;
mod signals;

mod input;
mod output;
mod style;
mod ui;

mod exit;
mod failure;
mod logging;

/// Agents allocate small things on many threads, which the system's allocator is slower at.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    app::run().into()
}
