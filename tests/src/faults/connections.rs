//! Faults of the connection.

use playhouse_protocol::FailureClass::Retryable;

use super::fault::{Act, Fault, Outcome, Place};
use super::wire::{TEXT, first, response, send, stream_head, wait_ms};

const SECOND: Outcome = Outcome::answer(TEXT, 2);

/// Connections that end or stand still.
pub(super) static CONNECTIONS: &[Fault] = &[
    Fault::new(
        "refused",
        "nobody listens",
        |_| Vec::new(),
        Outcome::error("Unreachable", Retryable, None, 0),
    )
    .at(Place::Nowhere),
    Fault::new(
        "no-tls",
        "a server that speaks no TLS, asked with https",
        |_| Vec::new(),
        Outcome::error("Unreachable", Retryable, None, 0),
    )
    .at(Place::ServerByTls),
    Fault::new(
        "reset",
        "the connection is reset before anything is said, then an answer",
        |call| first(1, call, || vec![Act::Reset]),
        SECOND,
    ),
    Fault::new(
        "closed",
        "the connection is closed before anything is said, then an answer",
        |call| first(1, call, || vec![Act::Close]),
        SECOND,
    ),
    Fault::new(
        "reset-in-head",
        "the connection is reset inside the head, then an answer",
        |call| first(1, call, || vec![send("HTTP/1.1 200 OK\r\ncontent-ty"), Act::Reset]),
        SECOND,
    ),
    Fault::new(
        "reset-after-head",
        "the connection is reset behind the head, then an answer",
        |call| {
            first(1, call, || {
                let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 500\r\n\r\n";
                vec![if call.streamed { stream_head() } else { send(head) }, wait_ms(20), Act::Reset]
            })
        },
        SECOND,
    ),
    Fault::new(
        "short-body",
        "the body ends before its length, then an answer",
        |call| {
            first(1, call, || {
                let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 500\r\n\r\n";
                vec![send(head), send("{\"id\":\"c-1\","), Act::Close]
            })
        },
        SECOND,
    ),
    Fault::new(
        "not-http",
        "bytes that are no HTTP, always",
        |_| vec![send("SSH-2.0-OpenSSH_9.2\r\n"), Act::Close],
        Outcome::error("BrokenStream", Retryable, None, 3),
    ),
    Fault::new(
        "silence",
        "the request is taken and nothing is said, then an answer",
        |call| first(1, call, || vec![Act::Stall]),
        SECOND.spaced(&[500]),
    )
    .impatient(),
    Fault::new(
        "silence-for-ever",
        "the request is taken and nothing is ever said",
        |_| vec![Act::Stall],
        Outcome::error("TimedOut", Retryable, None, 4),
    )
    .impatient(),
    Fault::new(
        "redirect-away",
        "a redirect to another host, which is not followed: the key would go along",
        |_| response(307, &[("location", &format!("http://{}:9/v1", super::OTHER_HOST))], ""),
        Outcome::error("Rejected", playhouse_protocol::FailureClass::InvalidInput, Some(307), 1),
    ),
    Fault::new(
        "redirect-here",
        "a redirect to another path",
        |_| response(308, &[("location", "/sound/elsewhere/v1/chat/completions")], ""),
        Outcome::error("Rejected", playhouse_protocol::FailureClass::InvalidInput, Some(308), 1),
    ),
];
