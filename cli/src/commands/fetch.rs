//! Model files that are needed and not there.

use playhouse_models::catalog::EntryState;
use playhouse_models::pull::{KnownModel, PullArgs, PullSource, Pulled, Puller, known_model};
use playhouse_models::{Catalog, CatalogEntry, ModelWish};
use playhouse_protocol::{Failure, FailureClass};

use crate::app::App;
use crate::progress::PullView;
use crate::render::words;
use crate::session::models_dir;

/// What else can be done when a model cannot be fetched.
const ELSEWHERE: &str = "Fetch it with `playhouse models pull` (from another source: --source hub|carrier|URL|PATH), \
                         use the smaller --model smollm2-135m, or an endpoint in playhouse.yaml.";

/// Makes sure that the models of these tasks can be asked: fetches the files of embedded ones that are not
/// there, unless told not to. `wanted` are task types, each with the model that was asked for.
pub(crate) async fn ensure(
    app: &App,
    catalog: &Catalog,
    wanted: &[(&str, Option<&str>)],
    no_pull: bool,
) -> Result<(), Failure> {
    let mut names: Vec<String> = Vec::new();
    for (task, model) in wanted {
        for name in catalog.reachable(&ModelWish::of(task).named(*model))? {
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    for name in names {
        if let Some(known) = missing(catalog, &name) {
            if no_pull {
                let failure = format!("use model {name}: its file is not there, and --no-pull was given");
                return Err(Failure::new(FailureClass::Retryable, failure).with_hint(ELSEWHERE));
            }
            app.ui.note(&format!("model {name} is not here yet"));
            fetch(app, known, &PullSource::Auto, false).await?;
        }
    }
    Ok(())
}

/// The embedded model of an entry whose file is not there.
fn missing(catalog: &Catalog, name: &str) -> Option<&'static KnownModel> {
    let entry = catalog.entries().into_iter().find(|entry| entry.name == name)?;
    known_of(&entry).filter(|_| matches!(entry.state, EntryState::FileMissing { .. }))
}

/// The embedded model of an entry that says so when its file is missing.
fn known_of(entry: &CatalogEntry) -> Option<&'static KnownModel> {
    match &entry.state {
        EntryState::FileMissing { pull: Some(known), .. } => known_model(known),
        EntryState::FileMissing { pull: None, .. }
        | EntryState::Ready
        | EntryState::NotBuiltIn
        | EntryState::UnknownFile => None,
    }
}

/// Fetches a model's file, and says what, how large, from where and where to.
pub(crate) async fn fetch(
    app: &App,
    known: &KnownModel,
    source: &PullSource,
    force: bool,
) -> Result<Pulled, Failure> {
    let puller = Puller::new(PullArgs::new(models_dir(app)?));
    let path = puller.path(&known.name);
    if force || !path.is_file() {
        app.ui.note(&format!(
            "fetching {} ({}, {}) from {} to {}",
            known.name,
            known.display_name,
            words::bytes(known.file_bytes),
            from(source),
            path.display()
        ));
    }
    let view = PullView::new(&app.ui);
    let pulled = puller.pull(&known.name, source, force, move |report| view.show(&report)).await;
    pulled.map_err(|error| {
        let failure = Failure::from(error);
        if failure.hint.is_some() { failure } else { failure.with_hint(ELSEWHERE) }
    })
}

fn from(source: &PullSource) -> String {
    match source {
        PullSource::Auto => "its hub, else its carrier packages".to_owned(),
        PullSource::Hub => "its hub".to_owned(),
        PullSource::Carrier => "its carrier packages".to_owned(),
        PullSource::Url(url) => url.clone(),
        PullSource::File(path) => path.display().to_string(),
    }
}
