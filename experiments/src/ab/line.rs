//! What the lines of a file say.

use serde::{Deserialize, Serialize};

use super::book::{ArmState, StoppedArm};

/// Counts up when a line changes its meaning.
pub(super) const VERSION: u32 = 1;

/// A line of a file, as JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Line {
    /// The first line of each file.
    Head {
        version: u32,
        /// Another one each time that the file is written anew: whoever has read a part of it begins again.
        generation: u64,
    },
    /// What everything before came to for an arm.
    State { arm: String, state: Box<ArmState> },
    /// An answer was judged.
    Outcome {
        arm: String,
        /// The settings of the arm at that time.
        of: String,
        score: f64,
    },
    /// An arm was taken out of the split.
    Stopped {
        arm: String,
        /// The settings of the arm and of the baseline at that time.
        of: String,
        stopped: StoppedArm,
    },
    /// An arm was put back by somebody; its test begins anew.
    Resumed {
        arm: String,
        /// The settings of the arm and of the baseline at that time.
        of: String,
        unix_ms: u64,
        reason: String,
    },
}
