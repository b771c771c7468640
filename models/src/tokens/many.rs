//! Counting many texts on all cores.

use std::num::NonZero;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::TokenCounter;

/// Fewer bytes in all are counted where the call runs: a thread costs more than it would save.
const ONE_THREAD_BYTES_MAX: usize = 64 * 1024;

/// The tokens of each text, in order, counted on as many threads as there are cores. Blocks until all are counted: call
/// it off the async threads.
pub fn count_many(counter: &dyn TokenCounter, texts: &[&str]) -> Vec<u64> {
    let bytes: usize = texts.iter().map(|text| text.len()).sum();
    if bytes <= ONE_THREAD_BYTES_MAX {
        return texts.iter().map(|text| counter.count(text)).collect();
    }
    let threads = thread::available_parallelism().map_or(1, NonZero::get).min(texts.len());
    count_on(counter, texts, threads)
}

/// Counts on `threads` threads, the calling one among them. Each takes the next text that nobody has taken.
fn count_on(counter: &dyn TokenCounter, texts: &[&str], threads: usize) -> Vec<u64> {
    let counts: Vec<OnceLock<u64>> = texts.iter().map(|_| OnceLock::new()).collect();
    let next = AtomicUsize::new(0);
    let work = || {
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let (Some(text), Some(count)) = (texts.get(at), counts.get(at)) else { return };
            count.get_or_init(|| counter.count(text));
        }
    };
    thread::scope(|scope| {
        for _ in 1..threads {
            // Without more threads those that there are do the work.
            if thread::Builder::new().name("count".to_owned()).spawn_scoped(scope, work).is_err() {
                break;
            }
        }
        work();
    });
    counts.into_iter().map(|count| count.into_inner().unwrap_or_default()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tokens::{Encoding, TiktokenCounter};

    #[test]
    fn counts_come_in_the_order_of_the_texts_on_any_number_of_threads() {
        let counter = TiktokenCounter::with_encoding(Encoding::O200k, "");
        let texts: Vec<String> = (0..100_usize).map(|number| "word ".repeat(number * 37 % 200)).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let expected: Vec<u64> = texts.iter().map(|text| counter.count(text)).collect();
        for threads in [1, 2, 7, 200] {
            assert_eq!(count_on(&counter, &texts, threads), expected, "{threads}");
        }
        assert_eq!(count_many(&counter, &texts), expected);
    }

    #[test]
    fn no_texts_have_no_counts() {
        let counter = TiktokenCounter::with_encoding(Encoding::O200k, "");
        assert_eq!(count_many(&counter, &[]), [0; 0]);
        assert_eq!(count_on(&counter, &[], 2), [0; 0]);
    }
}
