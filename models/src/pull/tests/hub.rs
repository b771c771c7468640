use super::*;
use crate::testing::json;

async fn pull_from(
    answers: Vec<Vec<Act>>,
    part: Option<&[u8]>,
) -> (Result<Pulled, PullError>, Vec<String>, Vec<String>) {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(answers).await;
    let puller = puller(folder.path(), model(&content(), vec![server.url("/f.gguf")], vec![]));
    if let Some(part) = part {
        std::fs::create_dir(folder.path().join("models")).unwrap();
        std::fs::write(folder.path().join("models/tiny.gguf.part"), part).unwrap();
    }
    let pulled = pull(&puller, &PullSource::Hub).await;
    if let Ok(pulled) = &pulled {
        assert_eq!(std::fs::read(&pulled.path).unwrap(), content());
    }
    (pulled, server.requests(), names(&folder.path().join("models")))
}

#[tokio::test]
async fn a_file_is_downloaded_checked_and_named() {
    let (pulled, _, names) = pull_from(vec![file_answer(&content(), None)], None).await;
    let pulled = pulled.unwrap();
    assert_eq!((pulled.source, pulled.already_present), (Some(SourceKind::Hub), false));
    assert_eq!(names, ["tiny.gguf", "tiny.lock"]);
}

#[tokio::test]
async fn a_download_that_broke_off_is_kept_and_continued() {
    let folder = tempfile::tempdir().unwrap();
    let answers = vec![cut(file_answer(&content(), None), 150_000), file_answer(&content(), Some(150_000))];
    let server = Server::start(answers).await;
    let puller = puller(folder.path(), model(&content(), vec![server.url("/f.gguf")], vec![]));
    let error = pull(&puller, &PullSource::Hub).await.unwrap_err();
    assert!(
        matches!(error, PullError::BrokenOff { bytes_done: 150_000, bytes_total: 400_000, .. }),
        "{error}"
    );
    assert!(error.hint().unwrap().starts_with("Pull again to continue"));
    pull(&puller, &PullSource::Hub).await.unwrap();
    assert!(server.requests()[1].contains("range: bytes=150000-\r\n"));
    assert_eq!(std::fs::read(puller.path("tiny")).unwrap(), content());
}

#[tokio::test]
async fn a_server_that_ignores_the_range_starts_over() {
    let (pulled, requests, _) = pull_from(vec![file_answer(&content(), None)], Some(&content()[..9])).await;
    assert!(pulled.is_ok());
    assert!(requests[0].contains("range: bytes=9-"));
}

#[tokio::test]
async fn a_server_that_continues_elsewhere_or_refuses_is_asked_from_the_start() {
    for first in [file_answer(&content(), Some(7)), json(416, "")] {
        let (pulled, requests, _) =
            pull_from(vec![first, file_answer(&content(), None)], Some(&content()[..9])).await;
        assert!(pulled.is_ok(), "{pulled:?}");
        assert!(!requests[1].contains("range:"));
    }
}

#[tokio::test]
async fn a_continued_download_with_the_wrong_hash_is_made_anew() {
    let answers = vec![file_answer(&content(), Some(9)), file_answer(&content(), None)];
    let (pulled, requests, _) = pull_from(answers, Some(b"elsewhere")).await;
    assert!(pulled.is_ok(), "{pulled:?}");
    assert_eq!(requests.len(), 2);
}

#[tokio::test]
async fn a_complete_part_is_not_downloaded_again() {
    let (pulled, requests, names) = pull_from(vec![], Some(&content())).await;
    assert!(pulled.is_ok() && requests.is_empty());
    assert_eq!(names, ["tiny.gguf", "tiny.lock"]);
}

#[tokio::test]
async fn a_part_that_is_too_long_is_dropped() {
    let (pulled, requests, _) = pull_from(vec![file_answer(&content(), None)], Some(&vec![0; 400_001])).await;
    assert!(pulled.is_ok());
    assert!(!requests[0].contains("range:"));
}

#[tokio::test]
async fn a_wrong_hash_is_deleted_and_reported() {
    let wrong = vec![7; content().len()];
    let (pulled, _, names) = pull_from(vec![file_answer(&wrong, None)], None).await;
    let error = pulled.unwrap_err();
    assert!(matches!(error, PullError::WrongHash { .. }), "{error}");
    assert!(error.to_string().ends_with("it was deleted"));
    assert_eq!(names, ["tiny.lock"]);
}

#[tokio::test]
async fn a_file_of_another_size_is_refused_before_it_is_downloaded() {
    let (pulled, _, names) = pull_from(vec![file_answer(&[1, 2, 3], None)], None).await;
    assert!(matches!(pulled, Err(PullError::WrongSize { expected: 400_000, found: 3, .. })));
    assert_eq!(names, ["tiny.lock"]);
    let endless = vec![Act::text("HTTP/1.1 200 X\r\n\r\n"), Act::Send(vec![0; 500_000]), Act::Stall];
    let (pulled, _, _) = pull_from(vec![endless], None).await;
    assert!(matches!(pulled, Err(PullError::WrongSize { .. })), "{pulled:?}");
}

#[tokio::test]
async fn a_missing_file_and_an_unreachable_host_are_told() {
    let (pulled, _, _) = pull_from(vec![json(404, "")], None).await;
    assert!(matches!(pulled, Err(PullError::Status { status: 404, .. })));
    let gone = Server::start(vec![]).await.url("/f");
    let folder = tempfile::tempdir().unwrap();
    let puller = puller(folder.path(), model(&content(), vec![], vec![]));
    let error = pull(&puller, &PullSource::Url(gone)).await.unwrap_err();
    assert!(matches!(error, PullError::Unreachable { .. }), "{error}");
    assert!(error.hint().unwrap().contains("smollm2-135m"));
    let error = pull(&puller, &PullSource::Url("http://".to_owned())).await.unwrap_err();
    assert!(matches!(error, PullError::BadUrl { .. }), "{error}");
}

#[tokio::test]
async fn a_redirect_to_the_store_is_followed() {
    let store = Server::start(vec![file_answer(&content(), None)]).await;
    let location = store.url("/blob");
    let redirect = crate::testing::response(302, &[("location", &location)], "");
    assert!(pull_from(vec![redirect], None).await.0.is_ok());
}

#[tokio::test]
async fn a_stall_ends_the_download_and_keeps_what_came() {
    let folder = tempfile::tempdir().unwrap();
    let mut answer = cut(file_answer(&content(), None), 5);
    answer.push(Act::Stall);
    let server = Server::start(vec![answer]).await;
    let puller = puller(folder.path(), model(&content(), vec![server.url("/f")], vec![]));
    let part = folder.path().join("models/tiny.gguf.part");
    let stop_clock = async {
        server.stalled().await;
        while file::size(&part) < 5 {
            tokio::task::yield_now().await;
        }
        tokio::time::pause();
    };
    let (pulled, ()) = tokio::join!(pull(&puller, &PullSource::Hub), stop_clock);
    assert!(matches!(pulled, Err(PullError::Stalled { .. })), "{pulled:?}");
    assert_eq!(file::size(&part), 5);
}

#[tokio::test]
async fn progress_tells_the_phases_and_never_goes_back() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(vec![json(500, ""), file_answer(&content(), None)]).await;
    let hub = vec![server.url("/broken"), server.url("/f")];
    let puller = puller(folder.path(), model(&content(), hub, vec![]));
    let told = Told::default();
    puller.pull("tiny", &PullSource::Auto, false, told.listener()).await.unwrap();
    assert_eq!(told.phases(), [Phase::SourceFailed, Phase::Downloading, Phase::Verifying]);
    let reports = told.0.lock().unwrap().clone();
    assert!(reports[0].note.as_ref().unwrap().contains("HTTP 500"));
    for phase in [Phase::Downloading, Phase::Verifying] {
        let bytes: Vec<_> =
            reports.iter().filter(|report| report.phase == phase).map(|report| report.bytes_done).collect();
        assert!(bytes.is_sorted() && bytes.last() == Some(&400_000), "{phase}: {bytes:?}");
    }
}
