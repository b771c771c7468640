//! A server on loopback that misbehaves as its table says.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use super::Group;
use super::fault::{Act, Call};

/// The longest request that is read, in bytes: those of the suite are far shorter.
const REQUEST_BYTES_MAX: usize = 256 * 1024;

/// The longest a stalled connection is held: longer than any limit of the suite.
const STALL_MAX: Duration = Duration::from_secs(60);

/// One request that came.
#[derive(Debug, Clone)]
pub struct Seen {
    /// When.
    pub at: Instant,
    /// All of it, as text.
    pub request: String,
}

/// The requests that came, by the first two parts of their path.
type Book = Arc<Mutex<BTreeMap<String, Vec<Seen>>>>;

/// The server. Each fault of the table answers below a path of its own, `/NAME/ANYTHING`. Ends when it is dropped.
#[derive(Debug)]
pub struct FaultServer {
    address: SocketAddr,
    book: Book,
    _tasks: JoinSet<()>,
}

impl FaultServer {
    /// Starts a server at `host`, an address of loopback, on a free port.
    ///
    /// # Errors
    /// When nothing can be bound there.
    pub async fn start(host: &str) -> std::io::Result<Self> {
        let listener = TcpListener::bind((host, 0)).await?;
        let address = listener.local_addr()?;
        let book = Book::default();
        let mut tasks = JoinSet::new();
        let seen = Arc::clone(&book);
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((connection, _)) = listener.accept().await {
                connections.spawn(serve(connection, Arc::clone(&seen)));
                while connections.try_join_next().is_some() {}
            }
        });
        Ok(Self { address, book, _tasks: tasks })
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The base URL below which `fault` answers; `lane` keeps the counts of several users apart.
    pub fn base_url(&self, fault: &str, lane: &str) -> String {
        format!("http://{}/{fault}/{lane}/v1", self.address)
    }

    /// The requests that came for a fault and lane.
    pub fn seen(&self, fault: &str, lane: &str) -> Vec<Seen> {
        let book = self.book.lock().unwrap_or_else(PoisonError::into_inner);
        book.get(&format!("{fault}/{lane}")).cloned().unwrap_or_default()
    }

    /// How many requests came in all.
    pub fn seen_len(&self) -> usize {
        self.book.lock().unwrap_or_else(PoisonError::into_inner).values().map(Vec::len).sum()
    }
}

/// Answers the requests of one connection until an act ends it.
async fn serve(mut connection: TcpStream, book: Book) {
    let _ = connection.set_nodelay(true);
    while let Some(request) = read_request(&mut connection).await {
        let path = request.split_whitespace().nth(1).unwrap_or_default();
        let mut parts = path.split('/').skip(1);
        let (name, lane) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let number = note(&book, &format!("{name}/{lane}"), &request);
        let Some(fault) = Group::find(name) else { return };
        let streamed = request.contains("\"stream\":true");
        let acts = (fault.acts)(Call { number, streamed });
        if !play(&mut connection, acts).await {
            return;
        }
    }
}

fn note(book: &Book, key: &str, request: &str) -> u32 {
    let mut book = book.lock().unwrap_or_else(PoisonError::into_inner);
    let seen = book.entry(key.to_owned()).or_default();
    seen.push(Seen { at: Instant::now(), request: request.to_owned() });
    u32::try_from(seen.len()).unwrap_or(u32::MAX)
}

/// Plays one answer; whether the connection can be used for another.
async fn play(connection: &mut TcpStream, acts: Vec<Act>) -> bool {
    for act in acts {
        match act {
            Act::Send(bytes) => {
                if connection.write_all(&bytes).await.is_err() {
                    return false;
                }
                // Lets the client read this much before the next part is sent.
                for _ in 0..20 {
                    tokio::task::yield_now().await;
                }
            }
            Act::Wait(time) => sleep(time).await,
            // Until the client has gone, or is believed to have.
            Act::Stall => {
                let gone = async { while connection.read(&mut [0; 64]).await.is_ok_and(|read| read > 0) {} };
                let _ = tokio::time::timeout(STALL_MAX, gone).await;
                return false;
            }
            Act::Reset => {
                let _ = connection.set_zero_linger();
                return false;
            }
            Act::Close => {
                let _ = connection.shutdown().await;
                return false;
            }
        }
    }
    true
}

async fn read_request(connection: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    while bytes.len() < REQUEST_BYTES_MAX {
        let mut part = [0; 4096];
        let read = connection.read(&mut part).await.ok().filter(|read| *read > 0)?;
        bytes.extend_from_slice(&part[..read]);
        // A TLS handshake begins with this byte and has no end that could be waited for.
        if bytes.first() == Some(&0x16) {
            let _ = connection.write_all(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n").await;
            return None;
        }
        let text = String::from_utf8_lossy(&bytes);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let head = head.to_ascii_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
            let length = length.and_then(|length| length.trim().parse().ok()).unwrap_or(0);
            if body.len() >= length {
                return Some(text.into_owned());
            }
        }
    }
    None
}
