//! Tests of several Playhouse crates together; they are in `tests/`.
