//! Every named fault of a provider, met by a client with all of its layers.

mod asking;
mod mutual;
mod page;

use std::io;
use std::sync::{Arc, Mutex};

use futures::future::join_all;
use playhouse_models::ModelClient;
use playhouse_tests::faults::{
    End, Fault, FaultServer, GROUPS, KEY, OTHER_HOST, Outcome, PROMPT, Place, Seen,
};
use tempfile::NamedTempFile;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::util::SubscriberInitExt as _;

use asking::{Met, ask, client, key_file, kind, question};

/// How far a clock may be off that both sides read at other moments, in milliseconds.
const GAP_TOLERANCE_MS: u64 = 5;

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

/// A fault and one way of asking.
struct Play {
    fault: &'static Fault,
    streamed: bool,
    expected: Outcome,
    client: Arc<dyn ModelClient>,
}

impl Play {
    /// Makes the client, which takes a while: all of them are made before anybody's time begins.
    fn new(server: &FaultServer, key: &NamedTempFile, fault: &'static Fault, streamed: bool) -> Option<Self> {
        let expected = if streamed { fault.streamed } else { fault.plain }?;
        let base_url = match fault.place {
            Place::Server => server.base_url(fault.name, way(streamed)),
            Place::ServerByTls => server.base_url(fault.name, way(streamed)).replace("http:", "https:"),
            // The port of "discard", of an address that nobody uses.
            Place::Nowhere => "http://127.0.0.3:9/v1".to_owned(),
        };
        Some(Self { fault, streamed, expected, client: client(fault, base_url, key) })
    }

    /// What was not as the table says.
    async fn run(&self, server: &FaultServer) -> Vec<String> {
        let Self { fault, streamed, expected, client } = self;
        let way = way(*streamed);
        let met = ask(&**client, question(fault, fault.name), *streamed).await;
        let mut complaints = Complaints::default();
        check_end(expected, &met, &mut complaints);
        check_requests(expected, &server.seen(fault.name, way), &mut complaints);
        complaints.0.into_iter().map(|complaint| format!("{}, {way}: {complaint}", fault.name)).collect()
    }
}

const fn way(streamed: bool) -> &'static str {
    if streamed { "streamed" } else { "plain" }
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
    // While there is one subscriber alone, what the first thread that comes by a line has is remembered for all threads; and
    // those of other tests have none. So there are two.
    let _other = tracing_subscriber::registry().set_default();
    let guard = subscriber.set_default();

    let key = key_file();
    let server = FaultServer::start("127.0.0.1").await.unwrap();
    let elsewhere = FaultServer::start(OTHER_HOST).await.unwrap();
    let faults: Vec<&'static Fault> = GROUPS.iter().flat_map(|group| group.faults).collect();
    let ways = faults.iter().flat_map(|fault| [(*fault, false), (*fault, true)]);
    let plays: Vec<_> =
        ways.filter_map(|(fault, streamed)| Play::new(&server, &key, fault, streamed)).collect();
    let complaints = join_all(plays.iter().map(|play| play.run(&server))).await.concat();
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    assert_eq!(elsewhere.seen_len(), 0, "a redirect was followed");

    drop(guard);
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("tried again"), "retries are logged: {log:.2000}");
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
