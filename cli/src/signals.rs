//! Ctrl-C and SIGTERM: the first asks for a clean end, the second ends at once.

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use playhouse_protocol::{Failure, FailureClass};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::exit::ExitStatus;

/// Listens as long as it lives.
#[derive(Debug)]
pub(crate) struct Signals {
    token: CancellationToken,
    received: Arc<AtomicU8>,
    _listener: JoinSet<()>,
}

impl Signals {
    /// Starts to listen: from here on a signal no longer ends the program by itself.
    pub(crate) fn listen() -> Result<Self, Failure> {
        let mut source =
            Source::new().map_err(|error| Failure::internal(format!("listen for signals: {error}")))?;
        let (token, received) = (CancellationToken::new(), Arc::new(AtomicU8::new(0)));
        let (asked, seen) = (token.clone(), Arc::clone(&received));
        let mut listener = JoinSet::new();
        listener.spawn(async move {
            let first = source.next().await;
            seen.store(first.code(), Ordering::SeqCst);
            asked.cancel();
            let second = source.next().await;
            std::process::exit(i32::from(second.code()));
        });
        Ok(Self { token, received, _listener: listener })
    }

    /// Is cancelled by the first signal.
    pub(crate) fn token(&self) -> &CancellationToken {
        &self.token
    }

    /// What a program that was asked to end ends with.
    pub(crate) fn status(&self) -> ExitStatus {
        if self.received.load(Ordering::SeqCst) == ExitStatus::Terminated.code() {
            ExitStatus::Terminated
        } else {
            ExitStatus::Interrupted
        }
    }

    /// Waits for `work`, but no longer than up to the first signal; then `work` is dropped.
    pub(crate) async fn or_cancelled<T>(
        &self,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        tokio::select! {
            biased;
            () = self.token.cancelled() => {
                Err(Failure::new(FailureClass::Cancelled, "finish: it was cancelled"))
            }
            done = work => done,
        }
    }
}

/// For a command in which Ctrl-C ends an answer and not the program: told any number of times. SIGTERM ends the program, the
/// second one at once.
#[derive(Debug)]
pub(crate) struct Interrupts {
    count: watch::Receiver<u64>,
    terminated: CancellationToken,
    _listener: JoinSet<()>,
}

impl Interrupts {
    /// Starts to listen: from here on a signal no longer ends the program by itself.
    pub(crate) fn listen() -> Result<Self, Failure> {
        let mut source =
            Source::new().map_err(|error| Failure::internal(format!("listen for signals: {error}")))?;
        let (told, count) = watch::channel(0);
        let terminated = CancellationToken::new();
        let asked = terminated.clone();
        let mut listener = JoinSet::new();
        listener.spawn(async move {
            loop {
                let status = source.next().await;
                if status == ExitStatus::Interrupted {
                    told.send_modify(|count: &mut u64| *count += 1);
                } else if asked.is_cancelled() {
                    std::process::exit(i32::from(status.code()));
                } else {
                    asked.cancel();
                }
            }
        });
        Ok(Self { count, terminated, _listener: listener })
    }

    /// Waits for the next Ctrl-C or for SIGTERM, and tells which. May be dropped at any time.
    pub(crate) async fn next(&mut self) -> ExitStatus {
        tokio::select! {
            biased;
            () = self.terminated.cancelled() => ExitStatus::Terminated,
            Ok(()) = self.count.changed() => ExitStatus::Interrupted,
        }
    }

    /// Leaves what was pressed before out of account.
    pub(crate) fn forget(&mut self) {
        self.count.mark_unchanged();
    }

    /// Whether the program was told to end.
    pub(crate) fn is_terminated(&self) -> bool {
        self.terminated.is_cancelled()
    }
}

#[cfg(unix)]
struct Source {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Source {
    fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    async fn next(&mut self) -> ExitStatus {
        tokio::select! {
            _ = self.interrupt.recv() => ExitStatus::Interrupted,
            _ = self.terminate.recv() => ExitStatus::Terminated,
        }
    }
}

#[cfg(not(unix))]
struct Source;

#[cfg(not(unix))]
impl Source {
    fn new() -> io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) -> ExitStatus {
        // Where no handler can be set, the system ends the program by itself.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
        ExitStatus::Interrupted
    }
}
