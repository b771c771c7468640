//! Leaves out as much as is needed.

use std::collections::BTreeMap;
use std::ops::Range;

use super::candidates::{BODY, BODY_BEGIN, BODY_END, Candidate};
use crate::compression::draft::Draft;
use crate::compression::strategy::Work;

/// What was left out: where it begins, with where it ends, what stands there, and what that saves.
type Applied<'a> = BTreeMap<usize, (&'a Candidate, u64)>;

/// Leaves out candidates until `tokens` (those of the text, or somewhat more to leave room) have come down to the
/// limit, as far as the sum of single counts tells. Notes stay where what is around them is left out.
pub(super) fn apply(work: &Work<'_>, candidates: &[Candidate], notes: &[Range<usize>], tokens: u64) -> Draft {
    let count = |range: &Range<usize>| work.counter.count(&work.text[range.clone()]);
    let saving = |candidate: &Candidate| {
        let noted: u64 = within(notes, &candidate.range).iter().map(|note| count(note) + 2).sum();
        count(&candidate.range).saturating_sub(work.counter.count(candidate.mark) + noted)
    };
    let mut order: Vec<_> = candidates.iter().map(|candidate| (candidate, saving(candidate))).collect();
    order.retain(|(_, saving)| *saving > 0);
    order.sort_by(|(one, one_saving), (other, other_saving)| {
        let ascending = one.step.cmp(&other.step).then(other_saving.cmp(one_saving));
        ascending.then(one.range.start.cmp(&other.range.start)).then(other.range.end.cmp(&one.range.end))
    });
    let mut left = tokens;
    let mut applied = Applied::new();
    let mut used = Vec::new();
    for (candidate, saving) in order {
        if left <= work.limit_tokens {
            break;
        }
        let Some(inner) = inside(&applied, &candidate.range) else { continue };
        let saved_inside: u64 =
            inner.iter().filter_map(|begin| applied.remove(begin)).map(|(_, saved)| saved).sum();
        left = (left + saved_inside).saturating_sub(saving);
        applied.insert(candidate.range.start, (candidate, saving));
        if inner.is_empty() {
            used.push((candidate, saving));
        }
    }
    // The last ones are the least gentle: what fits again comes back from there.
    for (candidate, saving) in used.into_iter().rev() {
        let is_there = applied.get(&candidate.range.start).is_some_and(|(there, _)| *there == candidate);
        if is_there && left + saving <= work.limit_tokens {
            applied.remove(&candidate.range.start);
            left += saving;
        }
    }
    draft(work.text.len(), notes, &applied)
}

/// What was left out within a range; `None` where the range lies within (or across) something that was left out.
fn inside(applied: &Applied<'_>, range: &Range<usize>) -> Option<Vec<usize>> {
    if let Some((_, (before, _))) = applied.range(..range.start).next_back()
        && before.range.end > range.start
    {
        return None;
    }
    let mut inner = Vec::new();
    for (begin, (candidate, _)) in applied.range(range.start..range.end) {
        if candidate.range.end > range.end {
            return None;
        }
        inner.push(*begin);
    }
    Some(inner)
}

/// The notes within a range; notes ascend.
fn within<'a>(notes: &'a [Range<usize>], range: &Range<usize>) -> &'a [Range<usize>] {
    let first = notes.partition_point(|note| note.start < range.start);
    let len = notes[first..].partition_point(|note| note.end <= range.end);
    &notes[first..first + len]
}

fn draft(len: usize, notes: &[Range<usize>], applied: &Applied<'_>) -> Draft {
    let mut draft = Draft::default();
    let mut at = 0;
    for (candidate, _) in applied.values() {
        draft.keep(at..candidate.range.start);
        let notes = within(notes, &candidate.range);
        match candidate.mark {
            BODY if !notes.is_empty() => {
                draft.add(BODY_BEGIN);
                notes.iter().for_each(|note| keep_line(&mut draft, note));
                draft.add(BODY_END);
            }
            mark => {
                draft.add(mark);
                notes.iter().for_each(|note| keep_line(&mut draft, note));
            }
        }
        at = candidate.range.end;
    }
    draft.keep(at..len);
    draft
}

/// Keeps a comment on a line of its own: what follows must not become a part of it.
fn keep_line(draft: &mut Draft, note: &Range<usize>) {
    draft.add("\n");
    draft.keep(note.clone());
    draft.add("\n");
}
