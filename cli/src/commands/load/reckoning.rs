//! Whether the runtime's books, the generator and the journal tell the same. Pure.

use playhouse_runtime::Accounting;
use playhouse_runtime::store::StatusCounts;

use super::tally::Tally;

/// The journal's counts before and after a run in which it lost nothing to age.
#[derive(Debug, Clone, Copy)]
pub(super) struct Journal {
    pub(super) before: StatusCounts,
    pub(super) after: StatusCounts,
}

/// What does not add up, each in words; empty when all does.
///
/// The journal has to agree with the books to the task. So has the generator, unless open tasks of an earlier run
/// were resumed: not all of them need be numbers of this run, so the books may hold more than it saw.
pub(super) fn differences(books: &Accounting, tally: &Tally, journal: Option<Journal>) -> Vec<String> {
    let mut found = Vec::new();
    if !books.adds_up() {
        found.push("what came in, by the books, is not what ended and what is open".to_owned());
    }
    if books.open > 0 {
        found.push(format!("the books have {} open after the end", books.open));
    }
    let seen = tally.here;
    let accepted = tally.outcomes.acknowledged - tally.outcomes.ended_before;
    for (what, generator, books_len) in [
        ("acknowledged", accepted, books.accepted + books.resumed),
        ("completed", seen.completed, books.completed),
        ("failed", seen.failed, books.failed),
        ("cancelled", seen.cancelled, books.cancelled),
        ("dead-lettered", seen.dead_lettered, books.dead_lettered),
        ("kept", seen.open, books.kept),
    ] {
        let agrees = if books.resumed == 0 { generator == books_len } else { generator <= books_len };
        if !agrees {
            found.push(format!("the generator saw {generator} {what}, by the books {books_len}"));
        }
    }
    let Some(Journal { before, after }) = journal else { return found };
    for (what, written, by_the_books) in [
        ("open", after.open + books.resumed, before.open + books.kept),
        ("completed", after.completed, before.completed + books.completed),
        ("failed", after.failed, before.failed + books.failed),
        ("cancelled", after.cancelled, before.cancelled + books.cancelled),
        ("dead-lettered", after.dead_lettered + books.reopened, before.dead_lettered + books.dead_lettered),
    ] {
        if written != by_the_books {
            found.push(format!("the journal has {written} {what}, by the books {by_the_books}"));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A run that found 2 of 10 tasks ended and 3 open, and was stopped with 1 open.
    fn resumed() -> (Accounting, Tally, Journal) {
        let books = Accounting {
            accepted: 5,
            resumed: 3,
            completed: 4,
            failed: 1,
            cancelled: 1,
            dead_lettered: 1,
            kept: 1,
            ..Accounting::default()
        };
        let mut tally = Tally::new(0);
        tally.outcomes.acknowledged = 10;
        tally.outcomes.ended_before = 2;
        tally.here = StatusCounts { open: 1, completed: 4, failed: 1, cancelled: 1, dead_lettered: 1 };
        let before = StatusCounts { open: 3, completed: 2, ..StatusCounts::default() };
        let after = StatusCounts { open: 1, completed: 6, failed: 1, cancelled: 1, dead_lettered: 1 };
        (books, tally, Journal { before, after })
    }

    #[test]
    fn a_run_that_resumed_some_and_kept_one_adds_up() {
        let (books, tally, journal) = resumed();
        assert_eq!(differences(&books, &tally, Some(journal)), Vec::<String>::new());
    }

    #[test]
    fn each_count_of_the_journal_is_compared() {
        let spoil: [fn(&mut StatusCounts) -> &mut u64; 5] = [
            |counts| &mut counts.open,
            |counts| &mut counts.completed,
            |counts| &mut counts.failed,
            |counts| &mut counts.cancelled,
            |counts| &mut counts.dead_lettered,
        ];
        for spoil in spoil {
            let (books, tally, mut journal) = resumed();
            *spoil(&mut journal.after) += 1;
            let found = differences(&books, &tally, Some(journal));
            assert!(matches!(found.as_slice(), [one] if one.starts_with("the journal has")), "{found:?}");
        }
    }

    #[test]
    fn each_count_of_the_generator_is_compared() {
        let spoil: [fn(&mut Tally) -> &mut u64; 6] = [
            |tally| &mut tally.outcomes.acknowledged,
            |tally| &mut tally.here.open,
            |tally| &mut tally.here.completed,
            |tally| &mut tally.here.failed,
            |tally| &mut tally.here.cancelled,
            |tally| &mut tally.here.dead_lettered,
        ];
        for spoil in spoil {
            let (mut books, mut tally, _) = resumed();
            (books.accepted, books.resumed) = (8, 0);
            assert_eq!(differences(&books, &tally, None), Vec::<String>::new());
            *spoil(&mut tally) -= 1;
            let found = differences(&books, &tally, None);
            assert!(matches!(found.as_slice(), [one] if one.starts_with("the generator saw")), "{found:?}");
            *spoil(&mut tally) += 2;
            (books.accepted, books.resumed) = (5, 3);
            assert_eq!(differences(&books, &tally, None).len(), 1, "more than the books hold never adds up");
        }
    }

    #[test]
    fn a_resumed_task_that_the_generator_never_asked_for_is_no_fault() {
        let (books, mut tally, journal) = resumed();
        tally.outcomes.acknowledged -= 1;
        tally.here.completed -= 1;
        assert_eq!(differences(&books, &tally, Some(journal)), Vec::<String>::new());
    }

    #[test]
    fn books_that_lost_a_task_are_told() {
        let (mut books, tally, _) = resumed();
        books.open = 1;
        let found = differences(&books, &tally, None);
        assert_eq!(found.len(), 2, "{found:?}");
    }
}
