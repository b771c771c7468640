//! Pulls from a server on loopback and through a stand-in for Python.

mod carriers;
mod hub;

use std::path::Path;
use std::sync::{Arc, Mutex};

use sha2::{Digest, Sha256};

use super::manifest::Carrier;
use super::*;
use crate::testing::{Act, Server};

/// A small "model".
fn content() -> Vec<u8> {
    (0..100_000_u32).flat_map(u32::to_le_bytes).collect()
}

fn model(content: &[u8], hub: Vec<String>, carriers: Vec<Carrier>) -> KnownModel {
    KnownModel {
        name: "tiny".to_owned(),
        display_name: "Tiny".to_owned(),
        publisher: "nobody".to_owned(),
        license: "MIT".to_owned(),
        parameters: "none".to_owned(),
        context_tokens: 1,
        file_bytes: content.len() as u64,
        sha256: file::hex(&Sha256::digest(content)),
        hub,
        carriers,
    }
}

fn puller(folder: &Path, known: KnownModel) -> Puller {
    let python = folder.join("python3");
    Puller::new(PullArgs { models_dir: folder.join("models"), python, known: vec![known] })
}

/// Pulls without listening.
async fn pull(puller: &Puller, source: &PullSource) -> Result<Pulled, PullError> {
    puller.pull("tiny", source, false, |_| {}).await
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<_> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// A whole file, or the part of it after `begin`.
fn file_answer(content: &[u8], begin: Option<usize>) -> Vec<Act> {
    let (status, range) = match begin {
        None => ("200 OK", String::new()),
        Some(begin) => {
            let end = content.len() - 1;
            ("206 Partial", format!("content-range: bytes {begin}-{end}/{}\r\n", content.len()))
        }
    };
    let body = &content[begin.unwrap_or(0)..];
    let head =
        format!("HTTP/1.1 {status}\r\n{range}content-length: {}\r\nconnection: close\r\n\r\n", body.len());
    vec![Act::text(&head), Act::Send(body.to_vec())]
}

/// Cuts an answer inside its body.
fn cut(mut answer: Vec<Act>, bytes: usize) -> Vec<Act> {
    if let Some(Act::Send(body)) = answer.last_mut() {
        body.truncate(bytes);
    }
    answer
}

#[tokio::test]
async fn an_unknown_model_is_told_with_all_known_ones() {
    let folder = tempfile::tempdir().unwrap();
    let puller = Puller::new(PullArgs::new(folder.path().join("models")));
    let error = puller.pull("gpt", &PullSource::Auto, false, |_| {}).await.unwrap_err();
    assert_eq!(error.to_string(), "pull model \"gpt\": there are qwen2.5-coder-0.5b, smollm2-135m");
    assert!(names(folder.path()).is_empty());
}

#[tokio::test]
async fn a_file_of_the_users_own_is_copied_when_its_hash_is_right() {
    let folder = tempfile::tempdir().unwrap();
    let puller = puller(folder.path(), model(&content(), vec![], vec![]));
    let own = folder.path().join("own.gguf");
    std::fs::write(&own, content()).unwrap();
    let source = PullSource::parse(own.to_str().unwrap());
    let pulled = pull(&puller, &source).await.unwrap();
    assert_eq!((pulled.source, pulled.bytes), (Some(SourceKind::File), 400_000));
    assert_eq!(std::fs::read(pulled.path).unwrap(), content());

    std::fs::remove_file(puller.path("tiny")).unwrap();
    std::fs::write(&own, vec![0; 400_000]).unwrap();
    assert!(matches!(pull(&puller, &source).await, Err(PullError::WrongHash { .. })));
    std::fs::write(&own, "short").unwrap();
    assert!(matches!(pull(&puller, &source).await, Err(PullError::WrongSize { found: 5, .. })));
    assert_eq!(names(&folder.path().join("models")), ["tiny.lock"]);
    assert!(matches!(pull(&puller, &PullSource::parse("/nowhere")).await, Err(PullError::Io { .. })));
}

#[tokio::test]
async fn a_file_that_is_there_is_checked_and_kept() {
    let folder = tempfile::tempdir().unwrap();
    let puller = puller(folder.path(), model(&content(), vec![], vec![]));
    assert!(matches!(puller.verify("tiny", |_| {}).await, Err(PullError::NotThere { .. })));
    std::fs::create_dir(folder.path().join("models")).unwrap();
    std::fs::write(puller.path("tiny"), content()).unwrap();
    assert!(pull(&puller, &PullSource::Auto).await.unwrap().already_present);
    assert!(puller.verify("tiny", |_| {}).await.is_ok());
    std::fs::write(puller.path("tiny"), "damaged").unwrap();
    let error = puller.verify("tiny", |_| {}).await.unwrap_err();
    assert!(matches!(error, PullError::Damaged { .. }) && error.hint().unwrap().contains("--force"));
}

#[tokio::test]
async fn a_folder_that_cannot_be_made_is_told() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("models"), "a file").unwrap();
    let error =
        pull(&puller(folder.path(), model(&content(), vec![], vec![])), &PullSource::Auto).await.unwrap_err();
    assert!(matches!(error, PullError::Io { .. }), "{error}");
    assert!(error.hint().unwrap().contains("PLAYHOUSE_MODELS_DIR"));
}

#[tokio::test]
async fn two_pulls_do_not_write_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(vec![file_answer(&content(), None)]).await;
    let puller = puller(folder.path(), model(&content(), vec![server.url("/f")], vec![]));
    let other = std::fs::create_dir(folder.path().join("models"))
        .and_then(|()| std::fs::File::create(folder.path().join("models/tiny.lock")))
        .unwrap();
    other.lock().unwrap();
    let (waits, mut waiting) = tokio::sync::mpsc::channel(1);
    let pulled = puller.pull("tiny", &PullSource::Auto, false, move |progress| {
        if progress.phase == Phase::Waiting {
            let _ = waits.try_send(());
        }
    });
    let release = async {
        waiting.recv().await.unwrap();
        assert!(server.requests().is_empty());
        other.unlock().unwrap();
    };
    let (pulled, ()) = tokio::join!(pulled, release);
    assert_eq!(pulled.unwrap().source, Some(SourceKind::Hub));
}

#[test]
fn sources_are_read_as_users_write_them() {
    assert_eq!(PullSource::parse("auto"), PullSource::Auto);
    assert_eq!(PullSource::parse("hub"), PullSource::Hub);
    assert_eq!(PullSource::parse("carrier"), PullSource::Carrier);
    assert_eq!(PullSource::parse("https://host/f"), PullSource::Url("https://host/f".to_owned()));
    assert_eq!(PullSource::parse("./f.gguf"), PullSource::File("./f.gguf".into()));
}

/// What a pull told, without the bytes that were reported in between.
#[derive(Default, Clone)]
struct Told(Arc<Mutex<Vec<PullProgress>>>);

impl Told {
    fn listener(&self) -> impl Fn(PullProgress) + Send + Sync + 'static {
        let told = Arc::clone(&self.0);
        move |progress| told.lock().unwrap().push(progress)
    }

    fn phases(&self) -> Vec<Phase> {
        let mut phases: Vec<_> = self.0.lock().unwrap().iter().map(|progress| progress.phase).collect();
        phases.dedup();
        phases
    }
}
