//! The two questions that are asked most, as values for embedders.
//!
//! ```no_run
//! # async fn ask(runtime: playhouse_runtime::Runtime) -> Result<(), Box<dyn std::error::Error>> {
//! use playhouse_experiments::use_cases::CompareReasoningModes;
//! use playhouse_experiments::run::RunStore;
//!
//! let riddles = playhouse_config::riddles::classic()?;
//! let compare = CompareReasoningModes::new("qwen2.5-coder-0.5b", riddles)?;
//! let report = compare.run(&runtime, &RunStore::new("experiments")).await?;
//! for claim in playhouse_experiments::report::claims(&report) {
//!     println!("{}", claim.text);
//! }
//! # Ok(())
//! # }
//! ```

use std::sync::Arc;

use playhouse_config::experiments::{
    ExperimentBudget, ExperimentTask, ExperimentTemplate, Item, Metric, SequentialRule, Variant,
};
use playhouse_config::reasoning::built_in;
use playhouse_config::riddles::RiddleSet;
use playhouse_protocol::Failure;
use playhouse_protocol::completion::Sampling;
use playhouse_protocol::riddle::{Judge, ReasoningMode};
use playhouse_protocol::task::TaskOptions;
use playhouse_runtime::{Runtime, SystemWallClock};

use crate::analysis::Report;
use crate::run::{Manifest, ManifestParts, RunStore, Runner};
use crate::verify::write_report;

/// The temperature of modes that vote, where nobody names one: samples that are all the same decide nothing.
const VOTE_TEMPERATURE: f32 = 0.7;

/// How good models are at riddles, in one or several ways of thinking.
#[derive(Debug, Clone, PartialEq)]
pub struct TestModelWithRiddles {
    /// What the run is called: letters, digits, `-`, `_` and `.`.
    pub name: String,
    /// The models: the first one, in the first mode, is what the others are held against.
    pub models: Vec<String>,
    /// How they are made to think.
    pub modes: Vec<ReasoningMode>,
    /// What they are asked.
    pub riddles: RiddleSet,
    /// How often; at least 1.
    pub repeats: u32,
    /// How many answers are waited for at once; at least 1.
    pub width: u32,
    /// How tokens are chosen. Modes that vote take a temperature of 0.7 where none is named.
    pub sampling: Sampling,
    /// The longest answer of a step, in tokens.
    pub completion_tokens_max: Option<u32>,
    /// What chance is drawn from.
    pub seed: u64,
    /// What all answers together may use.
    pub budget: ExperimentBudget,
    /// Who judges beside the exact scorer.
    pub judge: Option<Judge>,
    /// When it may stop early.
    pub stopping: Option<SequentialRule>,
}

/// Whether it helps a model to think in another way than directly.
#[derive(Debug, Clone, PartialEq)]
pub struct CompareReasoningModes(TestModelWithRiddles);

impl TestModelWithRiddles {
    /// Each model asked each riddle once, directly.
    ///
    /// # Errors
    /// Never with the modes that come along, as a test proves.
    pub fn new(models: &[&str], riddles: RiddleSet) -> Result<Self, Failure> {
        Ok(Self {
            name: "riddles".to_owned(),
            models: models.iter().map(|model| (*model).to_owned()).collect(),
            modes: built_in()?.into_iter().filter(|mode| mode.name == "direct").collect(),
            riddles,
            repeats: 1,
            width: 4,
            sampling: Sampling::default(),
            completion_tokens_max: None,
            seed: 1,
            budget: ExperimentBudget::default(),
            judge: None,
            stopping: None,
        })
    }

    /// The comparison as an experiment: a variant `<model>/<mode>` for each model in each mode.
    pub fn design(&self) -> ExperimentTemplate {
        let variant = |model: &String, mode: &ReasoningMode| {
            let votes = mode.samples > 1 && self.sampling.temperature.is_none();
            let temperature = if votes { Some(VOTE_TEMPERATURE) } else { self.sampling.temperature };
            Variant {
                name: format!("{model}/{}", mode.name),
                model: Some(model.clone()),
                mode: mode.clone(),
                prompt: None,
                compression: None,
                sampling: Sampling { temperature, ..self.sampling },
                completion_tokens_max: self.completion_tokens_max,
                rounds: 1,
            }
        };
        let variants =
            self.models.iter().flat_map(|model| self.modes.iter().map(move |mode| variant(model, mode)));
        let mut metrics =
            vec![Metric::Accuracy, Metric::LatencyMs, Metric::CompletionTokens, Metric::CostUsd];
        if self.judge.is_some() {
            metrics.insert(1, Metric::JudgedAccuracy);
        }
        ExperimentTemplate {
            name: self.name.clone(),
            description: format!("Riddles of the set {}.", self.riddles.name),
            task: ExperimentTask::Riddle,
            dataset: self.riddles.name.clone(),
            items: self.riddles.riddles.iter().cloned().map(Item::from).collect(),
            variants: variants.collect(),
            baseline: 0,
            metrics,
            repeats: self.repeats,
            width: self.width,
            seed: self.seed,
            confidence: 0.95,
            judge: self.judge.clone(),
            budget: self.budget,
            stopping: self.stopping,
        }
    }

    /// Asks everything, and says what came of it. Run, answers and report are kept in `store`.
    ///
    /// # Errors
    /// When it is wrong in itself, the run cannot be written down, or it did not come to its end.
    pub async fn run(&self, runtime: &Runtime, store: &RunStore) -> Result<Report, Failure> {
        let clock = Arc::new(SystemWallClock::now());
        let parts = ManifestParts {
            design: self.design(),
            template_yaml: None,
            catalog: runtime.catalog(),
            model_for: &|task_type, model| runtime.model_for(task_type, model),
            clock: &*clock,
        };
        let manifest = Manifest::of(parts)?;
        let mut run = store.create(&self.name, manifest)?;
        let runner = Runner { runtime: runtime.clone(), clock, options: TaskOptions::default() };
        runner.run(&mut run, &mut |_| ()).await?;
        Ok(write_report(run.run())?)
    }
}

impl CompareReasoningModes {
    /// The model asked each riddle of the set in each mode that comes along, held against thinking directly.
    ///
    /// # Errors
    /// Never with the modes that come along, as a test proves.
    pub fn new(model: &str, riddles: RiddleSet) -> Result<Self, Failure> {
        let test = TestModelWithRiddles::new(&[model], riddles)?;
        Ok(Self(TestModelWithRiddles { name: "reasoning-modes".to_owned(), modes: built_in()?, ..test }))
    }

    /// The same with further choices.
    #[must_use]
    pub fn with(self, change: impl FnOnce(TestModelWithRiddles) -> TestModelWithRiddles) -> Self {
        Self(change(self.0))
    }

    /// The comparison as an experiment.
    pub fn design(&self) -> ExperimentTemplate {
        self.0.design()
    }

    /// Asks everything, and says what came of it.
    ///
    /// # Errors
    /// As [`TestModelWithRiddles::run`].
    pub async fn run(&self, runtime: &Runtime, store: &RunStore) -> Result<Report, Failure> {
        self.0.run(runtime, store).await
    }
}
