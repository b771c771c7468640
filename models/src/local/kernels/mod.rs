//! The arithmetic of the embedded model, on plain slices.
//!
//! Two ways through a weight matrix. [`matvec`] multiplies it with one vector, for generation: weights stay
//! packed as they are in the file and are multiplied as small integers. [`panel`] multiplies it with 32
//! positions at a time, for prompts: a block of rows is unpacked to `f32` once and used for all of them.
//! [`mod@format`] knows how weights are packed, [`activation`] packs vectors alike, [`math`] is the rest.
//!
//! Instructions are chosen at run time by `pulp`, whose safe wrappers keep this crate free of `unsafe`. Every
//! kernel has a portable form; [`dot_avx2`] is what x86-64 gets beyond it.

pub(super) mod activation;
#[cfg(target_arch = "x86_64")]
mod dot_avx2;
pub(super) mod format;
pub(super) mod math;
pub(super) mod matvec;
pub(super) mod panel;
mod pool;

pub(super) use activation::Activations;
pub(super) use format::{Format, Matrix};
pub(super) use panel::{PANEL, Panels};
pub(super) use pool::Threads;
