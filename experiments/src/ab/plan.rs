//! What is compared with what, as of now.

use std::collections::BTreeMap;

use playhouse_config::entry_yaml;
use playhouse_config::settings::AbConfig;
use playhouse_runtime::models::Catalog;

use crate::digest::sha256_hex;

/// Bytes of a hash that tell the settings of an arm from others: a chance of one in 10^14 that two are taken for one.
const DIGEST_BYTES: usize = 6;

/// What is compared with what: the settings, and what the names of arms lead to now.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    pub(super) config: AbConfig,
    /// The arms by their names in the settings.
    pub(super) arms: BTreeMap<String, PlannedArm>,
}

#[derive(Debug, Clone)]
pub(super) struct PlannedArm {
    /// The catalog entry that answers for it.
    pub(super) entry: String,
    /// Tells its settings from others.
    pub(super) of: String,
}

/// The settings of catalog entries, told apart. They do not change while a process lives, so each is looked at once.
#[derive(Debug, Default)]
pub(super) struct Digests(BTreeMap<String, String>);

impl Plan {
    pub(super) fn new(config: &AbConfig, task_type: &str, catalog: &Catalog, digests: &mut Digests) -> Self {
        let mut arms = BTreeMap::new();
        for (arm, entry) in catalog.arms(task_type) {
            let of = digests.of(catalog, &entry);
            arms.insert(arm, PlannedArm { entry, of });
        }
        Self { config: config.clone(), arms }
    }

    /// The arm that an entry answers for.
    pub(super) fn arm_of(&self, entry: &str) -> Option<(&str, &PlannedArm)> {
        self.arms
            .iter()
            .find(|(_, planned)| planned.entry == entry)
            .map(|(arm, planned)| (arm.as_str(), planned))
    }

    /// What a test of an arm is of: its settings and those of the baseline. `None` for the baseline and what is no arm.
    pub(super) fn test_of(&self, arm: &str) -> Option<String> {
        let baseline = self.arms.get(&self.config.baseline)?;
        let planned = self.arms.get(arm).filter(|_| arm != self.config.baseline)?;
        Some(format!("{} {}", planned.of, baseline.of))
    }

    /// The evidence that a verdict takes: all comparisons of the split share the chance of a false one.
    pub(super) fn evidence_needed(&self) -> f64 {
        let comparisons = self.arms.len().saturating_sub(1).max(1);
        comparisons as f64 / self.config.false_winners
    }
}

impl Digests {
    fn of(&mut self, catalog: &Catalog, entry: &str) -> String {
        if let Some(known) = self.0.get(entry) {
            return known.clone();
        }
        let settings = catalog.config(entry).map(entry_yaml).unwrap_or_default();
        let mut of = sha256_hex(format!("{entry}\n{settings}"));
        of.truncate(2 * DIGEST_BYTES);
        self.0.insert(entry.to_owned(), of.clone());
        of
    }
}
