//! The one reader of environment variables.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};

/// Variables whose presence tells that a provider could be used, with what they stand for.
const PROVIDER_VARIABLES: [&str; 3] = ["OPENAI_API_KEY", "ANTHROPIC_API_KEY", "OLLAMA_HOST"];

/// The environment that settings are read in: the process's own, or one that a test made up.
///
/// A variable that is set to nothing counts as not set. `Debug` shows no value.
#[derive(Clone)]
pub struct Environment {
    variables: Variables,
    working_folder: PathBuf,
}

#[derive(Clone)]
enum Variables {
    Process,
    Given(BTreeMap<String, OsString>),
}

impl Environment {
    /// The environment of this process.
    pub fn process() -> Self {
        Self { variables: Variables::Process, working_folder: PathBuf::new() }
    }

    /// An environment with these variables and no others.
    pub fn of<const N: usize>(variables: [(&str, &str); N]) -> Self {
        let given = variables.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
        Self { variables: Variables::Given(given), working_folder: PathBuf::new() }
    }

    /// The same environment with one more variable. The process's own is not changed: what it holds is then
    /// left out.
    #[cfg(test)]
    #[must_use]
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        let mut given = match self.variables {
            Variables::Process => BTreeMap::new(),
            Variables::Given(given) => given,
        };
        given.insert(name.to_owned(), value.into());
        self.variables = Variables::Given(given);
        self
    }

    /// The same environment, seen from another working folder.
    #[must_use]
    pub fn with_working_folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.working_folder = folder.into();
        self
    }

    /// The folder where `playhouse.yaml` is looked for; empty for the process's own.
    pub fn working_folder(&self) -> &Path {
        &self.working_folder
    }

    /// The value of a variable, where it is set to something.
    pub fn get(&self, name: &str) -> Option<OsString> {
        let value = match &self.variables {
            Variables::Process => read_process_variable(name),
            Variables::Given(given) => given.get(name).cloned(),
        };
        value.filter(|value| !value.is_empty())
    }

    /// Whether a variable is set to something.
    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// A path that is named by a variable.
    pub fn path(&self, name: &str) -> Option<PathBuf> {
        self.get(name).map(PathBuf::from)
    }

    /// The user's own folder.
    pub fn home(&self) -> Option<PathBuf> {
        self.path("HOME").or_else(|| self.path("USERPROFILE"))
    }

    /// Where the user's settings live.
    pub fn config_home(&self) -> Option<PathBuf> {
        self.xdg("XDG_CONFIG_HOME", ".config")
    }

    /// Where model files are kept: `PLAYHOUSE_MODELS_DIR`, else `playhouse/models` in the user's cache
    /// folder; `None` when no variable tells where that is.
    pub fn models_dir(&self) -> Option<PathBuf> {
        self.path("PLAYHOUSE_MODELS_DIR")
            .or_else(|| Some(self.xdg("XDG_CACHE_HOME", ".cache")?.join("playhouse").join("models")))
    }

    /// Where measured figures of models are kept between commands: `playhouse/performance.json` in the user's folder for
    /// state; `None` when no variable tells where that is.
    pub fn performance_file(&self) -> Option<PathBuf> {
        Some(self.xdg("XDG_STATE_HOME", ".local/state")?.join("playhouse").join("performance.json"))
    }

    /// Where conversations are kept between commands: `playhouse/conversations.db` in the user's folder for state; `None`
    /// when no variable tells where that is.
    pub fn conversations_file(&self) -> Option<PathBuf> {
        Some(self.xdg("XDG_STATE_HOME", ".local/state")?.join("playhouse").join("conversations.db"))
    }

    /// Where experiments and the registry of models are kept: `playhouse/experiments` in the user's folder for state; `None`
    /// when no variable tells where that is.
    pub fn experiments_dir(&self) -> Option<PathBuf> {
        Some(self.xdg("XDG_STATE_HOME", ".local/state")?.join("playhouse").join("experiments"))
    }

    /// Where the user's own sets of riddles are kept: `playhouse/riddles` in the user's folder for data; `None` when no variable
    /// tells where that is.
    pub fn riddles_dir(&self) -> Option<PathBuf> {
        Some(self.xdg("XDG_DATA_HOME", ".local/share")?.join("playhouse").join("riddles"))
    }

    /// The names (never the values) of the variables that tell of a provider that could be configured.
    pub fn provider_variables(&self) -> Vec<&'static str> {
        PROVIDER_VARIABLES.into_iter().filter(|name| self.has(name)).collect()
    }

    /// Whether colours are unwanted. Source: no-color.org (set and not empty).
    pub fn no_color(&self) -> bool {
        self.has("NO_COLOR")
    }

    /// Whether this runs under a build server. `CI=false` says that it does not.
    pub fn is_ci(&self) -> bool {
        self.get("CI").is_some_and(|value| value != "false" && value != "0")
    }

    /// A base folder of the XDG specification, which says that a relative path in a variable is ignored.
    fn xdg(&self, variable: &str, below_home: &str) -> Option<PathBuf> {
        self.path(variable).filter(|path| path.is_absolute()).or_else(|| Some(self.home()?.join(below_home)))
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = f.debug_struct("Environment");
        match &self.variables {
            Variables::Process => text.field("variables", &"of the process"),
            Variables::Given(given) => text.field("variables", &given.keys()),
        };
        text.field("working_folder", &self.working_folder).finish()
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
fn read_process_variable(name: &str) -> Option<OsString> {
    std::env::var_os(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models_are_kept_where_the_first_variable_that_is_set_says() {
        let check = |environment: Environment, expected: Option<&str>| {
            assert_eq!(environment.models_dir(), expected.map(PathBuf::from));
        };
        check(Environment::of([]), None);
        check(Environment::of([("HOME", "/h")]), Some("/h/.cache/playhouse/models"));
        check(Environment::of([("HOME", "/h"), ("XDG_CACHE_HOME", "/c")]), Some("/c/playhouse/models"));
        check(Environment::of([("PLAYHOUSE_MODELS_DIR", "m"), ("XDG_CACHE_HOME", "/c")]), Some("m"));
    }

    #[test]
    fn conversations_are_kept_in_the_folder_for_state() {
        let file = |environment: Environment| environment.conversations_file();
        assert_eq!(file(Environment::of([])), None);
        let at_home = PathBuf::from("/h/.local/state/playhouse/conversations.db");
        assert_eq!(file(Environment::of([("HOME", "/h")])), Some(at_home));
        let named = PathBuf::from("/s/playhouse/conversations.db");
        assert_eq!(file(Environment::of([("HOME", "/h"), ("XDG_STATE_HOME", "/s")])), Some(named));
    }

    #[test]
    fn experiments_are_kept_in_the_folder_for_state() {
        let dir = |environment: Environment| environment.experiments_dir();
        assert_eq!(dir(Environment::of([])), None);
        let at_home = PathBuf::from("/h/.local/state/playhouse/experiments");
        assert_eq!(dir(Environment::of([("HOME", "/h")])), Some(at_home));
        let named = PathBuf::from("/s/playhouse/experiments");
        assert_eq!(dir(Environment::of([("HOME", "/h"), ("XDG_STATE_HOME", "/s")])), Some(named));
    }

    #[test]
    fn riddles_are_kept_in_the_folder_for_data() {
        let folder = |environment: Environment| environment.riddles_dir();
        assert_eq!(folder(Environment::of([])), None);
        let at_home = PathBuf::from("/h/.local/share/playhouse/riddles");
        assert_eq!(folder(Environment::of([("HOME", "/h")])), Some(at_home));
        let named = PathBuf::from("/d/playhouse/riddles");
        assert_eq!(folder(Environment::of([("HOME", "/h"), ("XDG_DATA_HOME", "/d")])), Some(named));
    }

    #[test]
    fn a_relative_xdg_folder_and_an_empty_variable_are_ignored() {
        let environment = Environment::of([("HOME", "/h"), ("XDG_CACHE_HOME", "relative"), ("NO_COLOR", "")]);
        assert_eq!(environment.models_dir(), Some(PathBuf::from("/h/.cache/playhouse/models")));
        assert!(!environment.no_color());
    }

    #[test]
    fn providers_are_noticed_by_name_and_values_are_never_shown() {
        let environment = Environment::of([("OPENAI_API_KEY", "sk-hidden"), ("OLLAMA_HOST", "")]);
        assert_eq!(environment.provider_variables(), ["OPENAI_API_KEY"]);
        assert!(!format!("{environment:?}").contains("sk-hidden"));
    }

    #[test]
    fn a_build_server_is_noticed() {
        assert!(Environment::of([("CI", "true")]).is_ci());
        assert!(!Environment::of([("CI", "false")]).is_ci());
        assert!(!Environment::of([]).is_ci());
    }

    #[test]
    fn the_process_environment_is_read() {
        assert!(Environment::process().has("PATH"));
    }
}
