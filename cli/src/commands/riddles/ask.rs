//! `playhouse riddles`: asks models riddles, as an experiment.

use std::path::PathBuf;

use playhouse_config::experiments::{ExperimentBudget, FindDataset, SequentialRule, draw};
use playhouse_config::reasoning;
use playhouse_config::riddles::RiddleSet;
use playhouse_experiments::use_cases::TestModelWithRiddles;
use playhouse_models::ModelWish;
use playhouse_protocol::Failure;
use playhouse_protocol::completion::Sampling;
use playhouse_protocol::riddle::Judge;

use crate::app::{App, Outcome};
use crate::args::RiddlesTestArgs;
use crate::commands::experiment::{run, templates};
use crate::{failure, session};

/// What a comparison that may stop early looks for: the better one wins two in three of the riddles on which two differ.
const STOPPING: SequentialRule = SequentialRule { wins: 2.0 / 3.0, false_winners: 0.05, missed_winners: 0.2 };

pub(super) fn ask(app: &App, args: &RiddlesTestArgs) -> Outcome {
    let config = app.config()?;
    let known = templates::modes(app, &args.own)?;
    let mut modes = Vec::new();
    for name in &args.modes {
        let mode = reasoning::find(&known, name).map_err(Failure::from)?;
        if modes.contains(mode) {
            return Err(Failure::invalid(format!("read --modes: {name:?} stands twice")).into());
        }
        modes.push(mode.clone());
    }
    let catalog = session::catalog(app, &config)?;
    let selected = |name: Option<&str>, task_type: &str| -> Result<String, Failure> {
        Ok(catalog.select(&ModelWish::of(task_type).named(name))?.model)
    };
    let models = match args.models.as_slice() {
        [] => vec![selected(None, "riddle")?],
        names => names.iter().map(|name| selected(Some(name), "riddle")).collect::<Result<_, _>>()?,
    };
    if let Some(twice) = models.iter().enumerate().find(|(at, name)| models[..*at].contains(name)) {
        return Err(Failure::invalid(format!("read --models: {:?} stands twice", twice.1)).into());
    }
    let test = TestModelWithRiddles {
        name: "riddles".to_owned(),
        models,
        modes,
        riddles: riddles(app, args)?,
        repeats: args.repeats,
        width: args.width,
        sampling: Sampling { temperature: args.temperature, ..Sampling::default() },
        completion_tokens_max: args.tokens_max,
        seed: args.seed,
        budget: ExperimentBudget {
            tokens_max: args.budget_tokens,
            cost_nano_usd_max: None,
            model_calls_max: args.budget_calls,
        },
        judge: args.judge.clone().map(|model| Judge { model: Some(model) }),
        stopping: args.early_stop.then_some(STOPPING),
    };
    let mut design = test.design();
    if let Some(sample) = args.sample {
        design.items = draw::sample(design.items, sample as usize, args.seed);
    }
    run::begin(app, config, design, None, &args.asking)
}

/// The riddles that are asked.
fn riddles(app: &App, args: &RiddlesTestArgs) -> Result<RiddleSet, Failure> {
    let find = FindDataset { folder: PathBuf::new(), repository: app.environment.riddles_dir() };
    let mut set = find.find(&args.set).map_err(|errors| failure::input("read the riddles", &errors))?;
    let select = draw::Select {
        difficulty: args.difficulty.iter().map(|difficulty| (*difficulty).into()).collect(),
        forms: args.form.clone(),
        tags: Vec::new(),
    };
    set.riddles = draw::selected(set.riddles, &select);
    if set.riddles.is_empty() {
        let failure = Failure::invalid(format!("ask riddles: none of set {} is like this", set.name));
        return Err(failure.with_hint(format!("See what there is: playhouse riddles show {}", args.set)));
    }
    Ok(set)
}
