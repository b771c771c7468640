//! Payloads.

use std::sync::Arc;

use playhouse_protocol::journal::{Part, Payload};
use playhouse_protocol::task::TaskStatus;

use super::super::{Entry, TaskStore};
use super::samples::{accepted, ended, id, task};

fn of(parts: Vec<Part>) -> Payload {
    Payload { parts }
}

pub(super) async fn round_trip(store: Arc<dyn TaskStore>) {
    let large: Vec<u8> = (0..1024 * 1024_u32).map(|at| at.to_le_bytes()[0]).collect();
    let payloads = [
        Payload::default(),
        of(vec![Part::new([])]),
        of(vec![Part::new(*b"a"), Part::tagged(1, *b"a"), Part::new(*b"a")]),
        of(vec![Part::new(*b"a"), Part::tagged(1, *b"a")]),
        of(vec![Part::tagged(255, large), Part::new(*b"a")]),
        of((0..500_u16).map(|at| Part::new(at.to_le_bytes())).collect()),
    ];
    for (number, request) in (0..).zip(payloads.clone()) {
        let mut task = task(number);
        task.request = request;
        store.commit(vec![accepted(task)]).await.unwrap();
    }
    for (number, request) in (0..).zip(payloads) {
        assert_eq!(store.request(id(number)).await.unwrap(), Some(request), "payload {number}");
    }
}

pub(super) async fn shared(store: Arc<dyn TaskStore>) {
    // Pieces large enough to be seen beside whatever else a store keeps.
    let piece = |letter: u8| Part::new(vec![letter; 100_000]);
    let before = store.bytes_len().await.unwrap();
    let mut conversation = Vec::new();
    for (number, letter) in (0..10).zip(b'a'..) {
        conversation.push(piece(letter));
        let mut task = task(number);
        task.request = of(conversation.clone());
        store.commit(vec![accepted(task), ended(number, TaskStatus::Completed, 100 + number)]).await.unwrap();
    }
    store.checkpoint().await.unwrap();
    let grown = store.bytes_len().await.unwrap() - before;
    assert!(grown < 1_300_000, "ten pieces of 100,000 bytes take {grown}");
    for (number, len) in (0..10).zip(1..) {
        let request = store.request(id(number)).await.unwrap().unwrap();
        assert_eq!(request, of(conversation[..len].to_vec()));
    }
    store.commit((0..9).map(|number| Entry::Discarded { task: id(number) }).collect()).await.unwrap();
    assert_eq!(store.request(id(9)).await.unwrap(), Some(of(conversation)));
    store.commit(vec![Entry::Discarded { task: id(9) }]).await.unwrap();

    // What was freed is used again.
    let mut again = task(20);
    again.request = of((b'k'..b'u').map(piece).collect());
    store.commit(vec![accepted(again)]).await.unwrap();
    store.checkpoint().await.unwrap();
    let grown = store.bytes_len().await.unwrap() - before;
    assert!(grown < 1_500_000, "as many other pieces take {grown}");
}
