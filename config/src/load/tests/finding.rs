use std::fs;

use insta::assert_snapshot;
use tempfile::TempDir;

use super::*;

const FIVE: &str = "limits: {agents_live_max: 5}";

fn load_in(folder: &TempDir, named: Option<&str>, variables: &[(&str, &str)]) -> Result<Loaded, String> {
    let base = folder.path().display().to_string();
    let mut environment = Environment::of([("HOME", format!("{base}/home").as_str())]);
    for (name, value) in variables {
        environment = environment.with(name, value);
    }
    let environment = environment.with_working_folder(folder.path());
    load(&LoadArgs { path: named.map(PathBuf::from), environment })
        .map_err(|errors| errors.to_string().replace(&base, "FOLDER"))
}

fn write(folder: &TempDir, path: &str, content: impl AsRef<[u8]>) {
    let path = folder.path().join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

#[test]
fn without_a_file_the_defaults_hold() {
    let loaded = load_in(&TempDir::new().unwrap(), None, &[]).unwrap();
    assert_eq!(loaded, Loaded { config: Config::default(), source: None, warnings: Vec::new() });
}

#[test]
fn the_first_place_that_has_a_file_is_taken() {
    let folder = TempDir::new().unwrap();
    let source = |named: Option<&str>, variables: &[(&str, &str)]| {
        let source = load_in(&folder, named, variables).unwrap().source.unwrap();
        source.strip_prefix(folder.path()).unwrap().display().to_string()
    };
    write(&folder, "home/.config/playhouse/playhouse.yaml", FIVE);
    assert_eq!(source(None, &[]), "home/.config/playhouse/playhouse.yaml");
    write(&folder, "xdg/playhouse/playhouse.yaml", FIVE);
    let xdg = folder.path().join("xdg").display().to_string();
    assert_eq!(source(None, &[("XDG_CONFIG_HOME", &xdg)]), "xdg/playhouse/playhouse.yaml");
    write(&folder, "playhouse.yaml", FIVE);
    assert_eq!(source(None, &[("XDG_CONFIG_HOME", &xdg)]), "playhouse.yaml");
    write(&folder, "by-variable.yaml", FIVE);
    assert_eq!(source(None, &[("PLAYHOUSE_CONFIG", "by-variable.yaml")]), "by-variable.yaml");
    write(&folder, "named.yaml", FIVE);
    assert_eq!(source(Some("named.yaml"), &[("PLAYHOUSE_CONFIG", "by-variable.yaml")]), "named.yaml");
}

#[test]
fn relative_paths_begin_at_the_folder_of_the_file() {
    let folder = TempDir::new().unwrap();
    write(
        &folder,
        "etc/p.yaml",
        "models: {m: {provider: scripted, script: a/b.yaml}}\nprompts: {folder: my}\n",
    );
    let config = load_in(&folder, Some("etc/p.yaml"), &[]).unwrap().config;
    let script = folder.path().join("etc/a/b.yaml");
    assert_eq!(config.models["m"].provider, ProviderConfig::Scripted { script });
    assert_eq!(config.prompts_dir, Some(folder.path().join("etc/my")));
}

#[test]
fn a_file_that_cannot_be_read_is_named_with_the_reason() {
    let folder = TempDir::new().unwrap();
    let error = |named: &str| load_in(&folder, Some(named), &[]).unwrap_err();
    fs::create_dir(folder.path().join("folder")).unwrap();
    write(&folder, "bytes.yaml", b"limits:\n  \xff: 1\n");
    write(&folder, "huge.yaml", "# pad\n".repeat(200_000));
    write(&folder, "utf16.yaml", [0xff, 0xfe, b'a', 0]);
    assert_snapshot!(error("missing.yaml"), @"
    FOLDER/missing.yaml: there is no such file
    hint: `playhouse config default > playhouse.yaml` writes one with all defaults
    ");
    assert_snapshot!(error("folder"), @"
    FOLDER/folder: it is a folder
    hint: name the file in it, for example `playhouse.yaml`
    ");
    assert_snapshot!(error("bytes.yaml"), @"FOLDER/bytes.yaml:2:3: it is not UTF-8 from here on");
    assert_snapshot!(error("huge.yaml"), @"FOLDER/huge.yaml: it is larger than 1048576 bytes");
    assert_snapshot!(error("utf16.yaml"), @"FOLDER/utf16.yaml:1:1: it is not UTF-8 from here on");
    assert_snapshot!(load_in(&folder, None, &[("PLAYHOUSE_CONFIG", "gone.yaml")]).unwrap_err(), @"
    FOLDER/gone.yaml: there is no such file
    hint: the variable PLAYHOUSE_CONFIG names this file
    ");
}

#[test]
fn a_missing_key_of_a_model_is_no_error_until_it_is_asked_for() {
    let folder = TempDir::new().unwrap();
    let entry = "models:\n  gpt: {provider: open_ai, base_url: \"https://a/v1\", model: m, api_key: \"env:ABSENT\"}\n";
    write(&folder, "playhouse.yaml", entry);
    let loaded = load_in(&folder, None, &[]).unwrap();
    let warnings = check_secrets(&loaded.config, &Environment::of([]));
    assert_snapshot!(warnings[0], @"
    models.gpt.api_key: read the secret env:ABSENT: the variable is not set or empty
    hint: set it with `export ABSENT=…`, or refer to a file with `file:PATH`
    ");
    assert_eq!(check_secrets(&loaded.config, &Environment::of([("ABSENT", "sk-1")])), []);
}
