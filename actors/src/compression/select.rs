//! Fills the limit with units by an order of preference.
//!
//! Units are counted once, and their counts are added up. The sum is not the count of the whole, so the result is
//! counted as a whole at the end and corrected a few times.

use super::cut::cut;
use super::draft::Draft;
use super::strategy::Work;

/// How often a result that came out too long is shortened before only the pinned spans are left. Each time frees
/// at least twice as much beyond the excess as the time before, so this many free everything.
const CORRECTIONS_MAX: u32 = 12;

/// How often room that is left is filled again. The sum of counts is a few per cent above the count, so there is
/// next to nothing left after the second time.
const REFILLS_MAX: u32 = 2;

/// Which end of a piece is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Beginning,
    End,
}

/// What to fill the limit with.
pub(super) struct Fill {
    /// Units, the most wanted first.
    pub(super) order: Vec<usize>,
    /// Whether to go on behind a unit that does not fit.
    pub(super) passes_misfits: bool,
    /// What stands where units are missing; white space as there was when there is nothing here.
    pub(super) gap: Option<&'static str>,
    /// Which end of a unit is kept where not even one fits.
    pub(super) side: Side,
}

/// What is kept of a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Take {
    Nothing,
    /// Its pinned spans.
    Pins,
    Whole,
}

/// Fills the limit.
///
/// # Errors
/// When the pinned spans alone do not fit.
pub(super) fn fill(work: &Work<'_>, fill: &Fill) -> Result<Draft, String> {
    let mut selection = Selection::new(work, fill);
    let fits = |selection: &Selection<'_, '_>| {
        let draft = selection.draft();
        let tokens = work.counter.count(&draft.render(work.text));
        (draft, tokens)
    };
    selection.adopt(selection.pins_cost);
    let (mut draft, mut tokens) = fits(&selection);
    for correction in 0..CORRECTIONS_MAX {
        if tokens <= work.limit_tokens {
            break;
        }
        selection.release((tokens - work.limit_tokens) << correction);
        (draft, tokens) = fits(&selection);
    }
    if tokens > work.limit_tokens {
        let pinned = work.pinned_draft();
        let tokens = work.counter.count(&pinned.render(work.text));
        if tokens > work.limit_tokens {
            return Err(format!("the pinned spans take {tokens} tokens"));
        }
        return Ok(pinned);
    }
    if draft.is_empty() {
        return Ok(part_of_first(work, fill));
    }
    for _ in 0..REFILLS_MAX {
        let before = selection.adopted.len();
        selection.adopt(tokens);
        if selection.adopted.len() == before {
            break;
        }
        let (fuller, fuller_tokens) = fits(&selection);
        if fuller_tokens > work.limit_tokens {
            break;
        }
        (draft, tokens) = (fuller, fuller_tokens);
    }
    Ok(draft)
}

/// Not even one unit fits: as much of the most wanted one as does.
fn part_of_first(work: &Work<'_>, fill: &Fill) -> Draft {
    let mut draft = Draft::default();
    if let Some(unit) = fill.order.first().map(|at| work.units()[*at]) {
        draft.keep(cut(work, unit.begin..unit.end, fill.side));
    }
    draft
}

struct Selection<'a, 'w> {
    work: &'a Work<'w>,
    fill: &'a Fill,
    takes: Vec<Take>,
    /// The pinned spans of each unit: places in `work.pins`.
    pins: Vec<std::ops::Range<usize>>,
    pins_cost: u64,
    /// What the pinned spans of each unit take.
    pin_costs: Vec<u64>,
    /// Units that were taken as a whole, in that order.
    adopted: Vec<usize>,
}

impl<'a, 'w> Selection<'a, 'w> {
    fn new(work: &'a Work<'w>, fill: &'a Fill) -> Self {
        let units = work.units();
        let mut takes = vec![Take::Nothing; units.len()];
        let mut pins = vec![0..0; units.len()];
        let mut pin_costs = vec![0; units.len()];
        let mut next = 0;
        for (number, unit) in units.iter().enumerate() {
            let first = next;
            while work.pins.get(next).is_some_and(|pin| pin.start < unit.end) {
                // One more for the white space in front of it.
                pin_costs[number] += work.counter.count(&work.text[work.pins[next].clone()]) + 1;
                next += 1;
            }
            if next > first {
                takes[number] = Take::Pins;
                pins[number] = first..next;
            }
        }
        let pins_cost = pin_costs.iter().sum();
        Self { work, fill, takes, pins, pins_cost, pin_costs, adopted: Vec::new() }
    }

    /// Takes units in their order as long as they fit, when `spent` tokens are already used.
    fn adopt(&mut self, mut spent: u64) {
        let costs = self.work.costs();
        for number in &self.fill.order {
            if self.takes[*number] == Take::Whole {
                continue;
            }
            let more = costs[*number].saturating_sub(self.pin_costs[*number]);
            if spent + more <= self.work.limit_tokens {
                spent += more;
                self.takes[*number] = Take::Whole;
                self.adopted.push(*number);
            } else if !self.fill.passes_misfits {
                return;
            }
        }
    }

    /// Gives back the units that were taken last until `tokens` are free.
    fn release(&mut self, tokens: u64) {
        let mut freed = 0;
        while freed <= tokens {
            let Some(number) = self.adopted.pop() else { return };
            self.takes[number] = if self.pins[number].is_empty() { Take::Nothing } else { Take::Pins };
            freed += self.work.costs()[number].saturating_sub(self.pin_costs[number]).max(1);
        }
    }

    fn draft(&self) -> Draft {
        let mut draft = Draft::default();
        let text = self.work.text;
        // Whether the unit before was taken to its end.
        let mut follows = false;
        let mut skipped = "";
        for (number, unit) in self.work.units().iter().enumerate() {
            let lead = &text[unit.lead..unit.begin];
            skipped = wider(skipped, white_space(lead));
            if self.takes[number] == Take::Nothing {
                follows = false;
                continue;
            }
            let is_first = draft.is_empty();
            if self.takes[number] == Take::Whole {
                if is_first {
                    draft.keep(unit.begin..unit.end);
                } else if follows {
                    draft.keep(unit.lead..unit.end);
                } else {
                    draft.add(self.fill.gap.unwrap_or(skipped));
                    draft.keep(unit.begin..unit.end);
                }
                follows = true;
            } else {
                for pin in &self.work.pins[self.pins[number].clone()] {
                    if !draft.is_empty() {
                        draft.add(skipped);
                    }
                    draft.keep(pin.clone());
                    skipped = " ";
                }
                follows = false;
            }
            skipped = "";
        }
        draft
    }
}

/// The white space that stands for this one: an empty line, a line end, or a space.
fn white_space(lead: &str) -> &'static str {
    match lead.bytes().filter(|byte| *byte == b'\n').count() {
        0 => " ",
        1 => "\n",
        _ => "\n\n",
    }
}

/// The one that divides more.
fn wider(one: &'static str, other: &'static str) -> &'static str {
    let rank = |space: &str| match space {
        "" => 0,
        " " => 1,
        "\n" => 2,
        _ => 3,
    };
    if rank(other) > rank(one) { other } else { one }
}
