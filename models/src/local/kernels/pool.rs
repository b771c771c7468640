//! Threads that share the work of one model.

use rayon::ThreadPool;
use rayon::prelude::*;

/// The threads of one loaded model: none beyond the caller's own unless more than one is asked for. Never
/// touches rayon's global pool, so a setting of one thread means one thread.
#[derive(Debug, Default)]
pub(in crate::local) struct Threads {
    pool: Option<ThreadPool>,
}

impl Threads {
    /// Starts `count - 1` helpers at most.
    ///
    /// # Errors
    /// When the system gives no more threads.
    pub(in crate::local) fn start(count: usize, name: &str) -> Result<Self, rayon::ThreadPoolBuildError> {
        if count <= 1 {
            return Ok(Self::default());
        }
        let name = name.to_owned();
        let builder = rayon::ThreadPoolBuilder::new()
            .num_threads(count)
            .thread_name(move |index| format!("{name}-{index}"));
        Ok(Self { pool: Some(builder.build()?) })
    }

    /// How many threads work at a time.
    pub(in crate::local) fn count(&self) -> usize {
        self.pool.as_ref().map_or(1, ThreadPool::current_num_threads)
    }

    /// Calls `work` for each piece of `chunk_len` items of `items`, with the piece's number.
    pub(in crate::local) fn for_each_chunk<T: Send>(
        &self,
        items: &mut [T],
        chunk_len: usize,
        work: impl Fn(usize, &mut [T]) + Send + Sync,
    ) {
        let chunk_len = chunk_len.max(1);
        match &self.pool {
            None => items.chunks_mut(chunk_len).enumerate().for_each(|(index, chunk)| work(index, chunk)),
            Some(pool) => pool.install(|| {
                items.par_chunks_mut(chunk_len).enumerate().for_each(|(index, chunk)| work(index, chunk));
            }),
        }
    }
}
