//! Going on with what an earlier process left open.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use playhouse_actors::task::EventLog;
use playhouse_protocol::TaskId;

use super::engine::Engine;
use super::ledger::Origin;
use super::open_task::{OpenTask, OpenTaskArgs, Work};
use crate::admission::Slot;
use crate::store::{StoreError, StoredTask};

/// Tasks that are read at once.
const PAGE_LEN: usize = 1_000;

impl Engine {
    /// Reads every open task and only then puts them to work, in the order in which they were accepted. Their
    /// requests and steps are read when it is their turn. A task whose kind this program does not know stays
    /// open in the journal.
    ///
    /// # Errors
    /// The store's. No task was begun then.
    pub(crate) async fn recover(self: &Arc<Self>) -> Result<usize, StoreError> {
        let mut resumed: Vec<Arc<OpenTask>> = Vec::new();
        let mut unknown: BTreeMap<String, u64> = BTreeMap::new();
        let mut after: Option<TaskId> = None;
        loop {
            let page = self.parts.journal.store().open_tasks(after, PAGE_LEN).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.id);
            for stored in page {
                match self.work_of(&stored.kind) {
                    Some(work) => {
                        let slot = self.slots(&work).take_again(&stored.options.tenant);
                        resumed.push(self.reopen(stored, work, Origin::Resumed, slot));
                    }
                    None => *unknown.entry(stored.kind).or_default() += 1,
                }
            }
        }
        for (kind, tasks) in unknown {
            tracing::warn!(
                kind,
                tasks,
                "open tasks of a kind that this program does not know stay in the journal"
            );
        }
        for task in &resumed {
            self.table.insert(task.id(), Arc::clone(task));
        }
        for task in &resumed {
            // The process died between the end of a plan and the end of its parts.
            if task.parent.is_some_and(|plan| !self.table.contains_key(&plan)) {
                task.take_back();
            }
        }
        for task in &resumed {
            self.begin(task, None);
        }
        Ok(resumed.len())
    }

    /// A task of the journal as an open one of this process.
    pub(super) fn reopen(&self, stored: StoredTask, work: Work, origin: Origin, slot: Slot) -> Arc<OpenTask> {
        let now = self.parts.clock.unix_ms();
        let span = |from: u64, to: u64| Duration::from_millis(to.saturating_sub(from));
        let timeout = span(stored.submitted_unix_ms, stored.deadline_unix_ms);
        let elapsed = span(stored.submitted_unix_ms, now);
        let events = EventLog::new(stored.id);
        let scope = self.scope(stored.id, &stored.options, timeout, elapsed, Some(Arc::clone(&events)));
        OpenTask::new(OpenTaskArgs {
            scope,
            events: Some(events),
            work,
            parent: stored.parent,
            submitted_unix_ms: stored.submitted_unix_ms,
            deadline_unix_ms: stored.deadline_unix_ms,
            origin,
            slot: Some(slot),
            request: None,
            attempts_max: stored.options.attempts_max.unwrap_or(self.parts.attempts.attempts_max),
            failed_attempts: stored.failed_attempts,
            options: stored.options,
        })
    }

    /// Who does the work of a kind; `None` for a kind that this program does not know.
    pub(super) fn work_of(&self, kind: &str) -> Option<Work> {
        if kind == crate::plan::KIND {
            return Some(Work::Plan(crate::plan::PlanWork::default()));
        }
        self.parts.services.registry().by_kind(kind).map(|agent| Work::Agent(Arc::clone(agent)))
    }
}
