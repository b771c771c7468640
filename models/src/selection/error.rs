//! When no model fits.

use super::{Check, UnknownAlias};

/// No model can be selected.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum SelectionError {
    /// None fulfils what is asked for.
    #[error(transparent)]
    NoModelFits(#[from] NoModelFits),
    /// An alias leads nowhere.
    #[error(transparent)]
    UnknownAlias(#[from] UnknownAlias),
}

impl SelectionError {
    /// What a person can do about it.
    pub fn hint(&self) -> String {
        match self {
            Self::NoModelFits(error) => error.hint(),
            Self::UnknownAlias(error) => error.hint().to_owned(),
        }
    }
}

/// No model fulfils what is asked for.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{}", self.text())]
pub struct NoModelFits {
    /// The type of task that the settings name the constraints for; `None` for constraints that were handed in.
    pub task: Option<String>,
    /// How many models were considered.
    pub considered: usize,
    /// The one that lacks least, and what it does not fulfil. `None` when there is none to consider.
    pub nearest: Option<(String, Vec<Check>)>,
}

impl NoModelFits {
    fn text(&self) -> String {
        let (of, key) = match &self.task {
            Some(task) => (format!(" for {task}"), format!("selection.constraints.{task}")),
            None => (String::new(), "the constraints".to_owned()),
        };
        let Some((model, unmet)) = &self.nearest else {
            return format!("select a model{of}: {key} leaves none to consider");
        };
        let keys: Vec<_> = unmet.iter().map(Check::key).collect();
        let lacks: Vec<_> = unmet.iter().map(Check::to_string).collect();
        format!(
            "select a model{of}: none of {} fulfils {} of {key}; the nearest is {model}, which {}",
            self.considered,
            keys.join(" and "),
            lacks.join(" and ")
        )
    }

    /// What would make the nearest model fit.
    pub fn hint(&self) -> String {
        let remedies: Vec<_> = match &self.nearest {
            Some((model, unmet)) => unmet.iter().filter_map(|check| check.remedy(model)).collect(),
            None => Vec::new(),
        };
        if remedies.is_empty() {
            return "Name models of the catalog under `among`: playhouse models list".to_owned();
        }
        let remedies = remedies.join(" and ");
        let mut letters = remedies.chars();
        let first = letters.next().map(|letter| letter.to_ascii_uppercase()).unwrap_or_default();
        format!("{first}{}, or add a model that fulfils it.", letters.as_str())
    }
}
