//! Results of runs, kept beside the versions that they are about.

use std::collections::BTreeMap;

use super::{Registry, RegistryError};
use crate::analysis::{Cell, Report, Summary};

impl Registry {
    /// Attaches what a run has measured to every registered version that it asked. Returns how many there are.
    ///
    /// # Errors
    /// When the file fails.
    pub fn take_report(&self, report: &Report) -> Result<usize, RegistryError> {
        let models = self.list()?;
        let mut taken = 0;
        for cell in &report.cells {
            let Some((name, version)) = cell.model.as_deref().and_then(version_of) else { continue };
            let is_known = models
                .get(name)
                .is_some_and(|model| model.versions.iter().any(|known| known.version == version));
            if is_known {
                self.evaluated(name, version, &format!("{}/{}", report.run, cell.variant), metrics(cell))?;
                taken += 1;
            }
        }
        Ok(taken)
    }
}

/// Model and version of an entry such as `coder@2`.
fn version_of(entry: &str) -> Option<(&str, u32)> {
    let (name, version) = entry.rsplit_once('@')?;
    Some((name, version.parse().ok()?))
}

/// What the template measures: shares, and means of all else.
fn metrics(cell: &Cell) -> BTreeMap<String, f64> {
    let asked = cell.metrics.iter().filter(|metric| metric.is_compared);
    let value = |summary: &Summary| match summary {
        Summary::Share(share) => Some(share.share),
        Summary::Number(number) => Some(number.mean),
        Summary::Nothing => None,
    };
    asked.filter_map(|metric| Some((metric.metric.to_string(), value(&metric.summary)?))).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use playhouse_config::Config;
    use playhouse_runtime::SystemWallClock;

    use super::*;
    use crate::analysis::analyse;
    use crate::fixture::{scorer, small_run};
    use crate::registry::Why;
    use crate::run::Ending;

    #[test]
    fn a_run_of_a_registered_version_is_kept_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let registry = Registry::new(folder.path(), Arc::new(SystemWallClock::now()));
        let config = Config::default();
        let entry = config.models.values().next().unwrap();
        let why = Why { who: None, reason: "first".to_owned() };
        registry.register("coder", entry, &why).unwrap();
        let (mut manifest, records) = small_run();
        manifest.design.variants[1].model = Some("coder@1".to_owned());
        manifest.design.variants[2].model = Some("coder@7".to_owned());
        let report = analyse(&manifest, &records, Ending::Complete, &scorer).unwrap();
        assert_eq!(registry.take_report(&report).unwrap(), 1);
        let version = &registry.model("coder").unwrap().versions[0];
        assert_eq!(version.evaluations[0].run, "modes-1/steps");
        let accuracy = version.evaluations[0].metrics["accuracy"];
        assert!((accuracy - 11.0 / 12.0).abs() < 1e-12, "{accuracy}");
        assert_eq!(registry.take_report(&report).unwrap(), 1);
        assert_eq!(registry.model("coder").unwrap().versions[0].evaluations.len(), 1);
    }
}
