//! Every named fault of a provider, met by a client with all of its layers.

use std::fmt::Write as _;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::StreamExt;
use futures::future::join_all;
use playhouse_config::SecretRef;
use playhouse_config::settings::{
    Config, HttpConfig, ModelConfig, ProviderConfig, RetriesConfig, TimeoutsConfig,
};
use playhouse_models::{Catalog, CatalogParts, CompletionEvent, ModelClient, ModelError, NoObserver};
use playhouse_protocol::SeededSource;
use playhouse_protocol::completion::{ChatMessage, Completion, CompletionRequest, ResponseFormat};
use playhouse_runtime::SystemWallClock;
use playhouse_tests::faults::{
    End, Fault, FaultServer, GROUPS, KEY, OTHER_HOST, Outcome, PROMPT, Place, Seen, TEXT,
};
use tempfile::NamedTempFile;
use tracing_subscriber::fmt::MakeWriter;

/// What the table of the documentation is called.
const TABLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/model-faults.md");

/// The schema of questions that ask for JSON.
const SCHEMA: &str = r#"{"type":"object","properties":{"verdict":{"type":"string"}},"required":["verdict"],"additionalProperties":false}"#;

/// How far a clock may be off that both sides read at other moments, in milliseconds.
const GAP_TOLERANCE_MS: u64 = 5;

/// What came of a call.
struct Met {
    result: Result<Completion, ModelError>,
    /// The text as it arrived, and how many times it was begun anew.
    arrived: Option<(String, u32)>,
}

fn settings(fault: &Fault, base_url: String, key: &NamedTempFile) -> HttpConfig {
    let ms = Duration::from_millis;
    let limit = if fault.impatient { ms(1_000) } else { ms(10_000) };
    HttpConfig {
        api_key: Some(SecretRef::File(key.path().to_owned())),
        structured_output: true,
        timeouts: TimeoutsConfig {
            connect: ms(5_000),
            first_token: limit,
            between_tokens: limit,
            attempt: limit,
            total: ms(30_000),
        },
        retries: RetriesConfig { attempts_max: 4, backoff_initial: ms(1), backoff_max: ms(5) },
        ..HttpConfig::new(base_url, "m")
    }
}

fn client(fault: &Fault, base_url: String, key: &NamedTempFile) -> Arc<dyn ModelClient> {
    let provider = ProviderConfig::OpenAi(settings(fault, base_url, key));
    let mut config = Config::default();
    config.models.insert("m".to_owned(), ModelConfig::new(provider));
    let parts = CatalogParts {
        random: Arc::new(SeededSource::from_seed(7)),
        wall_clock: Arc::new(SystemWallClock::now()),
        models_dir: "/nowhere".into(),
        observer: Arc::new(NoObserver),
    };
    Catalog::new(&config, parts).client("m").unwrap()
}

fn question(fault: &Fault) -> CompletionRequest {
    let mut request = CompletionRequest::new(vec![ChatMessage::user(format!("Say {PROMPT}."))]);
    if fault.with_schema {
        request.format = ResponseFormat::JsonSchema { name: "verdict".to_owned(), schema: SCHEMA.to_owned() };
    }
    request
}

async fn ask_plainly(client: &dyn ModelClient, request: CompletionRequest) -> Met {
    Met { result: client.complete(request).await, arrived: None }
}

async fn ask_streamed(client: &dyn ModelClient, request: CompletionRequest) -> Met {
    let mut events = client.stream(request);
    let (mut text, mut restarts) = (String::new(), 0);
    loop {
        match events.next().await.expect("an end") {
            Ok(CompletionEvent::Delta(delta)) => text.push_str(&delta),
            Ok(CompletionEvent::Restarted { .. }) => {
                text.clear();
                restarts += 1;
            }
            Ok(CompletionEvent::Finished(completion)) => {
                assert!(events.next().await.is_none(), "an event behind the end");
                return Met { result: Ok(completion), arrived: Some((text, restarts)) };
            }
            Err(error) => {
                assert!(events.next().await.is_none(), "an event behind the end");
                return Met { result: Err(error), arrived: Some((text, restarts)) };
            }
        }
    }
}

/// The name of an error's kind: that of its variant.
fn kind(error: &ModelError) -> String {
    let text = format!("{:?}", error.kind);
    text.split([' ', '{', '(']).next().unwrap_or_default().to_owned()
}

/// What was not as the table says, each with where.
#[derive(Debug, Default)]
struct Complaints(Vec<String>);

impl Complaints {
    fn unless(&mut self, holds: bool, complaint: impl FnOnce() -> String) {
        if !holds {
            self.0.push(complaint());
        }
    }
}

fn check_end(expected: &Outcome, met: &Met, complaints: &mut Complaints) {
    match (&expected.end, &met.result) {
        (End::Answer(text), Ok(completion)) => {
            complaints.unless(completion.text == *text, || format!("answered {:?}", completion.text));
            let (usage, attempts) = (completion.usage, completion.route.attempts as usize);
            complaints.unless(usage.prompt_tokens > 0, || format!("has no usage: {usage:?}"));
            complaints.unless(attempts == expected.requests, || format!("tells of {attempts} attempts"));
            if let Some((arrived, _)) = &met.arrived {
                complaints.unless(arrived == text, || format!("streamed {arrived:?}"));
            }
        }
        (End::Error(name, class, status), Err(error)) => {
            let met = (kind(error), error.class(), error.status);
            complaints.unless(met == ((*name).to_owned(), *class, *status), || {
                format!("failed with {met:?}: {error}")
            });
            for text in [error.to_string(), format!("{error:?}"), error.hint().unwrap_or_default()] {
                complaints.unless(!text.contains(KEY), || format!("gives the key away: {text}"));
                complaints.unless(!text.contains(PROMPT), || format!("gives the prompt away: {text}"));
            }
            let waits_ms = error.retry_after.map_or(0, |wait| u64::try_from(wait.as_millis()).unwrap());
            let least_ms = expected.retry_after_min_ms.unwrap_or(0);
            complaints.unless(waits_ms >= least_ms, || format!("asks to wait {waits_ms} ms, not {least_ms}"));
        }
        (expected, met) => complaints.0.push(format!("should end with {expected:?}, ended with {met:?}")),
    }
    if let Some((_, restarts)) = met.arrived {
        complaints.unless(restarts == expected.restarts, || format!("was begun anew {restarts} times"));
    }
}

fn check_requests(expected: &Outcome, seen: &[Seen], complaints: &mut Complaints) {
    complaints.unless(seen.len() == expected.requests, || format!("took {} requests", seen.len()));
    for (number, pair) in seen.windows(2).enumerate() {
        let gap_ms = u64::try_from((pair[1].at - pair[0].at).as_millis()).unwrap();
        let least_ms = expected.gaps_min_ms.get(number).copied().unwrap_or(0);
        let in_time = gap_ms + GAP_TOLERANCE_MS >= least_ms;
        complaints.unless(in_time, || format!("came back after {gap_ms} ms, not {least_ms}"));
    }
    let keyed = seen.iter().all(|request| request.request.contains(KEY));
    complaints.unless(keyed, || "left the key out".to_owned());
}

/// Plays one fault in one way; what was not as the table says.
async fn play(
    server: &FaultServer,
    key: &NamedTempFile,
    fault: &'static Fault,
    streamed: bool,
) -> Vec<String> {
    let Some(expected) = (if streamed { fault.streamed } else { fault.plain }) else { return Vec::new() };
    let way = if streamed { "streamed" } else { "plain" };
    let base_url = match fault.place {
        Place::Server => server.base_url(fault.name, way),
        Place::ServerByTls => server.base_url(fault.name, way).replace("http:", "https:"),
        // The port of "discard", of an address that nobody uses.
        Place::Nowhere => "http://127.0.0.3:9/v1".to_owned(),
    };
    let client = client(fault, base_url, key);
    let met = if streamed {
        ask_streamed(&*client, question(fault)).await
    } else {
        ask_plainly(&*client, question(fault)).await
    };
    let mut complaints = Complaints::default();
    check_end(&expected, &met, &mut complaints);
    check_requests(&expected, &server.seen(fault.name, way), &mut complaints);
    complaints.0.into_iter().map(|complaint| format!("{}, {way}: {complaint}", fault.name)).collect()
}

/// Keeps what is logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn every_named_fault_ends_as_the_table_says_and_gives_nothing_away() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::DEBUG)
        .with_writer(log.clone())
        .finish();
    let guard = tracing_subscriber::util::SubscriberInitExt::set_default(subscriber);

    let mut key = NamedTempFile::new().unwrap();
    io::Write::write_all(&mut key, KEY.as_bytes()).unwrap();
    let server = FaultServer::start("127.0.0.1").await.unwrap();
    let elsewhere = FaultServer::start(OTHER_HOST).await.unwrap();
    let faults: Vec<&'static Fault> = GROUPS.iter().flat_map(|group| group.faults).collect();
    let plays =
        faults.iter().flat_map(|fault| [false, true].map(|streamed| play(&server, &key, fault, streamed)));
    let complaints = join_all(plays).await.concat();
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    assert_eq!(elsewhere.seen_len(), 0, "a redirect was followed");

    drop(guard);
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("tried again"), "retries are logged");
    for line in log.lines() {
        assert!(!line.contains(KEY), "the key is in a log: {line}");
        assert!(!line.contains(PROMPT), "the prompt is in a log: {line}");
    }
}

#[test]
fn there_are_at_least_forty_faults_and_no_two_of_one_name() {
    let mut names: Vec<_> = GROUPS.iter().flat_map(|group| group.faults).map(|fault| fault.name).collect();
    let len = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), len);
    assert!(len >= 40, "{len}");
}

fn outcome_cell(outcome: Option<Outcome>) -> String {
    let Some(outcome) = outcome else { return "–".to_owned() };
    let mut cell = match outcome.end {
        End::Answer(TEXT) => "answer".to_owned(),
        End::Answer(text) => format!("answer `{text}`"),
        End::Error(kind, class, status) => {
            let status = status.map(|status| format!(", HTTP {status}")).unwrap_or_default();
            format!("`{kind}` ({class}{status})")
        }
    };
    if outcome.restarts > 0 {
        let _ = write!(cell, ", begun anew {} ×", outcome.restarts);
    }
    let _ = write!(cell, "; {} sent", outcome.requests);
    if let [gap_ms, ..] = outcome.gaps_min_ms {
        let _ = write!(cell, ", {gap_ms} ms apart at least");
    }
    cell
}

fn table() -> String {
    let mut text = "# What becomes of a provider's faults

Written by `tests/suite/model_faults.rs`, which plays each of them against the client with all of its layers (four attempts at most)
and checks what stands here; to write it anew: `PLAYHOUSE_BLESS=1 cargo test -p playhouse-tests --test suite model_faults`.
No error and no log above `trace` holds the key or the prompt. A time is the server's hint, or the limit by which silence was noticed.
"
    .to_owned();
    for group in GROUPS {
        let _ = write!(
            text,
            "\n## {}\n\n| fault | the server | plain | streamed |\n|---|---|---|---|\n",
            group.title
        );
        for fault in group.faults {
            let Fault { name, what, .. } = fault;
            let (plain, streamed) = (outcome_cell(fault.plain), outcome_cell(fault.streamed));
            let _ = writeln!(text, "| `{name}` | {what} | {plain} | {streamed} |");
        }
    }
    text
}

#[test]
fn the_table_of_the_documentation_is_the_one_that_is_played() {
    let table = table();
    #[expect(
        clippy::disallowed_methods,
        reason = "whether to write the page anew is no setting of Playhouse"
    )]
    let bless = std::env::var_os("PLAYHOUSE_BLESS").is_some();
    if bless {
        std::fs::write(TABLE, &table).unwrap();
    }
    let page = std::fs::read_to_string(TABLE).unwrap_or_default();
    assert!(page == table, "docs/model-faults.md is out of date: run this test with PLAYHOUSE_BLESS=1");
}
