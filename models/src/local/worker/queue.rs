//! The bounded queue in front of a worker.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::job::Job;

/// Jobs in the order in which they came. Shared by a provider, which closes it, and its worker.
#[derive(Debug)]
pub(in crate::local) struct JobQueue {
    state: Mutex<State>,
    changed: Condvar,
    len_max: usize,
}

#[derive(Debug, Default)]
struct State {
    jobs: VecDeque<Job>,
    closed: bool,
}

/// The queue is full; the job was dropped.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::local) struct Refused {
    pub(in crate::local) queue_len: usize,
}

impl JobQueue {
    pub(in crate::local) fn new(len_max: usize) -> Self {
        Self { state: Mutex::default(), changed: Condvar::new(), len_max }
    }

    /// Puts a job at the end. Jobs that nobody waits for any more make room for it.
    ///
    /// # Errors
    /// When `len_max` jobs wait already.
    pub(in crate::local) fn push(&self, job: Job) -> Result<(), Refused> {
        let mut state = self.state();
        if state.jobs.len() >= self.len_max {
            state.jobs.retain(|job| !job.is_cancelled());
        }
        if state.jobs.len() >= self.len_max {
            return Err(Refused { queue_len: state.jobs.len() });
        }
        state.jobs.push_back(job);
        self.changed.notify_one();
        Ok(())
    }

    /// The next job that somebody waits for; `None` once the queue is closed and empty. Blocks the thread.
    pub(super) fn pop(&self) -> Option<Job> {
        let mut state = self.state();
        loop {
            match state.jobs.pop_front() {
                Some(job) if job.is_cancelled() => {}
                Some(job) => return Some(job),
                None if state.closed => return None,
                None => state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
            }
        }
    }

    /// Lets the worker end once the queue is empty.
    pub(in crate::local) fn close(&self) {
        self.state().closed = true;
        self.changed.notify_all();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use playhouse_protocol::completion::CompletionRequest;

    use super::*;
    use crate::local::slot::{SlotReader, slot};

    fn job() -> (Job, SlotReader) {
        let (answer, reader) = slot();
        (Job::Complete { request: CompletionRequest::default(), answer }, reader)
    }

    #[test]
    fn full_queue_refuses_a_job_until_another_is_taken_or_given_up() {
        let queue = JobQueue::new(2);
        let (jobs, mut readers): (Vec<_>, Vec<_>) = (0..5).map(|_| job()).unzip();
        let mut jobs = jobs.into_iter();
        let mut push = || queue.push(jobs.next().unwrap()).map_err(|refused| refused.queue_len);
        assert_eq!((push(), push(), push()), (Ok(()), Ok(()), Err(2)));
        drop(queue.pop());
        assert_eq!(push(), Ok(()));
        readers.remove(1);
        assert_eq!(push(), Ok(()));
    }

    #[test]
    fn jobs_that_nobody_waits_for_are_passed_over() {
        let queue = JobQueue::new(2);
        let ((first, reader), (second, _reader)) = (job(), job());
        queue.push(first).unwrap();
        queue.push(second).unwrap();
        drop(reader);
        queue.close();
        assert!(queue.pop().is_some());
        assert!(queue.pop().is_none());
    }
}
