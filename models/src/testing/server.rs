//! An HTTP server on loopback that sends exactly the bytes that a test lists, cut where the test says.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinSet;

/// One step of an answer.
#[derive(Debug, Clone)]
pub(crate) enum Act {
    /// Sends bytes, on their own.
    Send(Vec<u8>),
    /// Waits for ever, with the connection open.
    Stall,
    /// Waits until the client has closed the connection.
    UntilGone,
    /// Ends the connection with a reset instead of properly.
    Reset,
}

impl Act {
    pub(crate) fn text(text: &str) -> Self {
        Self::Send(text.as_bytes().to_vec())
    }
}

/// The server. Each connection is one request; the first gets the first answer, and so on. Ends when dropped.
pub(crate) struct Server {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
    stalled: Arc<Notify>,
    ended: Arc<Notify>,
    _tasks: JoinSet<()>,
}

impl Server {
    pub(crate) async fn start(answers: Vec<Vec<Act>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::<Mutex<Vec<String>>>::default();
        let stalled = Arc::<Notify>::default();
        let ended = Arc::<Notify>::default();
        let mut tasks = JoinSet::new();
        tasks.spawn({
            let (requests, stalled, ended) =
                (Arc::clone(&requests), Arc::clone(&stalled), Arc::clone(&ended));
            async move {
                let mut connections = JoinSet::new();
                for answer in answers {
                    let (connection, _) = listener.accept().await.unwrap();
                    connections.spawn(serve(connection, answer, Arc::clone(&requests), Arc::clone(&stalled)));
                }
                connections.join_all().await;
                ended.notify_one();
            }
        });
        Self { address, requests, stalled, ended, _tasks: tasks }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The requests that came, as text.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }

    /// Returns when an answer has come to a stall.
    pub(crate) async fn stalled(&self) {
        self.stalled.notified().await;
    }

    /// Returns when every answer was given, or the client has gone.
    pub(crate) async fn ended(&self) {
        self.ended.notified().await;
    }
}

async fn serve(
    mut connection: TcpStream,
    answer: Vec<Act>,
    requests: Arc<Mutex<Vec<String>>>,
    stalled: Arc<Notify>,
) {
    connection.set_nodelay(true).unwrap();
    let request = read_request(&mut connection).await;
    requests.lock().unwrap().push(request);
    for act in answer {
        match act {
            // A client that has gone is what some tests are about.
            Act::Send(bytes) => {
                if connection.write_all(&bytes).await.is_err() {
                    return;
                }
                // Lets the client read this much before the next part is sent.
                for _ in 0..20 {
                    tokio::task::yield_now().await;
                }
            }
            Act::Stall => {
                stalled.notify_one();
                std::future::pending::<()>().await;
            }
            Act::UntilGone => while connection.read(&mut [0; 64]).await.is_ok_and(|read| read > 0) {},
            Act::Reset => {
                connection.set_zero_linger().unwrap();
                return;
            }
        }
    }
    let _ = connection.shutdown().await;
}

async fn read_request(connection: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    loop {
        let mut part = [0; 4096];
        let read = connection.read(&mut part).await.unwrap_or(0);
        bytes.extend_from_slice(&part[..read]);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let complete = text.split_once("\r\n\r\n").is_some_and(|(head, body)| {
            let head = head.to_ascii_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
            body.len() >= length.map_or(0, |length| length.trim().parse().unwrap())
        });
        // A TLS handshake begins with this byte and has no end that could be waited for.
        let is_tls = bytes.first() == Some(&0x16);
        if complete || is_tls || read == 0 {
            return text;
        }
    }
}

/// A response with its length.
pub(crate) fn response(status: u16, headers: &[(&str, &str)], body: &str) -> Vec<Act> {
    let lines: Vec<_> = headers
        .iter()
        .map(|(name, value)| {
            format!(
                "{name}: {value}
"
            )
        })
        .collect();
    let headers = lines.concat();
    let length = body.len();
    vec![Act::text(&format!(
        "HTTP/1.1 {status} X\r\n{headers}content-length: {length}\r\nconnection: close\r\n\r\n{body}"
    ))]
}

/// A JSON response.
pub(crate) fn json(status: u16, body: &str) -> Vec<Act> {
    response(status, &[("content-type", "application/json")], body)
}

/// A stream of server-sent events that ends with the connection; `parts` are sent one by one.
pub(crate) fn sse<'a>(parts: impl IntoIterator<Item = &'a str>) -> Vec<Act> {
    streamed("text/event-stream", parts)
}

/// A stream of JSON lines that ends with the connection; `parts` are sent one by one.
pub(crate) fn json_lines<'a>(parts: impl IntoIterator<Item = &'a str>) -> Vec<Act> {
    streamed("application/x-ndjson", parts)
}

fn streamed<'a>(content_type: &str, parts: impl IntoIterator<Item = &'a str>) -> Vec<Act> {
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: {content_type}\r\nx-request-id: req-7\r\nconnection: close\r\n\r\n"
    );
    std::iter::once(Act::text(&head)).chain(parts.into_iter().map(Act::text)).collect()
}
