//! Extraction: the sentences that say the most, in their order.
//!
//! A sentence is worth what it says that no chosen sentence has said: it covers words and facts, each with a weight,
//! and each is counted once. Sentences are chosen greedily by worth for each token, which for such a sum of covered
//! weights under a budget is a constant factor from the best choice. Near-equal sentences drop out by themselves: the
//! second one covers nothing new.
//!
//! - Coverage as the goal. Source: Gillick and Favre, "A Scalable Global Model for Summarization" (2009).
//! - Greedy choice by worth for `cost^r`. Source: Lin and Bilmes, "Multi-document Summarization via Budgeted
//!   Maximization of Submodular Functions" (2010), algorithm 1; theirs is r = 0.3 for few long sentences.
//! - Weight of a word: `idf * (ln n + 0.1)`: what a text is about comes again, so a word that stands once counts next
//!   to nothing, as in Gillick and Favre, who leave it out. Here `idf = ln(1 + (N - n + 0.5) / (n + 0.5))`, N sentences of which n hold
//!   it. Source of idf: Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond" (2009), with
//!   the one that Lucene adds so that it stays positive.
//! - Weight of a fact: `idf` times what its kind is worth: facts that stand once are the ones that nothing else tells.
//! - Weight by place: earlier sentences count somewhat more. Source: Radev, Jing, Styś and Tam, "Centroid-based
//!   summarization of multiple documents" (2004), the positional value.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use playhouse_protocol::compress::FactKind;

use super::draft::Draft;
use super::select::{Fill, Side, fill};
use super::strategy::{Compression, Work};
use super::verify::key;
use super::words::{is_stop_word, words};

/// The power of a sentence's tokens that its worth is divided by: 1 would prefer scraps.
const COST_POWER: f64 = 0.95;

/// What a word that stands in one sentence only counts of its idf.
const SINGLE_WORD_WEIGHT: f64 = 0.1;

/// How much more the first sentence weighs than the last one.
const PLACE_WEIGHT: f64 = 0.15;

/// What a sentence must still be worth of what it was worth at first; below this it repeats what is there.
const NEW_SHARE_MIN: f64 = 0.1;

/// How often a sentence's worth is reckoned anew, on average. Sentences that share words make each other's worth fall,
/// so it is reckoned when a sentence comes to the top; the bound keeps the time linear whatever the text.
const RECKONINGS_PER_UNIT: usize = 12;

/// See the [module](self).
pub(super) struct Keyword;

impl Compression for Keyword {
    fn draft(&self, work: &Work<'_>) -> Result<Draft, String> {
        let order = Ranking::new(work).order();
        fill(work, &Fill { order, passes_misfits: true, gap: None, side: Side::Beginning })
    }
}

/// What a sentence covers, and what each of it weighs.
struct Ranking<'a, 'w> {
    work: &'a Work<'w>,
    /// The concepts of each unit: places in `weights`, ascending, none twice.
    concepts: Vec<Vec<u32>>,
    weights: Vec<f64>,
    covered: Vec<bool>,
}

impl<'a, 'w> Ranking<'a, 'w> {
    fn new(work: &'a Work<'w>) -> Self {
        let mut vocabulary = Vocabulary::default();
        let mut facts = work.facts().iter().peekable();
        let mut concepts = Vec::with_capacity(work.units().len());
        for unit in work.units() {
            let mut of_unit = Vec::new();
            for word in words(&work.text[unit.begin..unit.end]) {
                of_unit.extend(vocabulary.word(word));
            }
            while let Some(fact) = facts.next_if(|fact| fact.range.start < unit.end) {
                of_unit.push(vocabulary.fact(fact.kind, &key(&work.text[fact.range.clone()])));
            }
            of_unit.sort_unstable();
            of_unit.dedup();
            for concept in &of_unit {
                vocabulary.units_len[*concept as usize] += 1;
            }
            concepts.push(of_unit);
        }
        let weights = vocabulary.weights(concepts.len());
        let covered = vec![false; weights.len()];
        Self { work, concepts, weights, covered }
    }

    /// The worth of a unit for what its tokens cost.
    fn worth(&self, number: usize) -> f64 {
        let open = self.concepts[number].iter().filter(|concept| !self.covered[**concept as usize]);
        let covers: f64 = open.map(|concept| self.weights[*concept as usize]).sum();
        let place = 1.0 + PLACE_WEIGHT * (1.0 - number as f64 / self.concepts.len() as f64);
        covers * place / (self.work.costs()[number].max(1) as f64).powf(COST_POWER)
    }

    fn cover(&mut self, number: usize) {
        for concept in &self.concepts[number] {
            self.covered[*concept as usize] = true;
        }
    }

    /// All units, the most wanted first: those with pinned spans, those chosen by worth, and the rest.
    fn order(mut self) -> Vec<usize> {
        let len = self.concepts.len();
        let costs = self.work.costs();
        let mut order = Vec::with_capacity(len);
        let mut room = self.work.limit_tokens;
        let mut taken = vec![false; len];
        let pinned = pinned_units(self.work);
        let first: Vec<_> = (0..len).map(|number| self.worth(number)).collect();
        let mut heap: BinaryHeap<_> =
            (0..len).map(|number| top(first[number], number, pinned[number])).collect();
        let mut reckonings = 0;
        while let Some((is_pinned, bits, Reverse(number))) = heap.pop() {
            if costs[number] > room {
                continue;
            }
            let worth = self.worth(number);
            if worth < first[number] * NEW_SHARE_MIN && !is_pinned {
                continue;
            }
            let again = top(worth, number, is_pinned);
            let is_top = heap.peek().is_none_or(|next| again >= *next);
            if !is_top && worth.to_bits() != bits && reckonings < len * RECKONINGS_PER_UNIT {
                reckonings += 1;
                heap.push(again);
                continue;
            }
            room -= costs[number];
            taken[number] = true;
            self.cover(number);
            order.push(number);
        }
        // What is left fills gaps: what says anything new first, as it stands.
        let mut rest: Vec<_> = (0..len).filter(|number| !taken[*number]).collect();
        let left: Vec<_> = (0..len).map(|number| self.worth(number)).collect();
        rest.retain(|number| order.is_empty() || left[*number] >= first[*number] * NEW_SHARE_MIN);
        rest.sort_by(|one, other| left[*other].total_cmp(&left[*one]).then(one.cmp(other)));
        order.extend(rest);
        order
    }
}

/// An entry of the heap. Numbers that are not negative are ordered as their bits are; of equal ones the first unit
/// wins.
fn top(worth: f64, number: usize, is_pinned: bool) -> (bool, u64, Reverse<usize>) {
    (is_pinned, worth.to_bits(), Reverse(number))
}

/// How much more a fact weighs than a word that is as rare: most where no other words would do.
const fn fact_weight(kind: FactKind) -> f64 {
    match kind {
        FactKind::Url | FactKind::Path | FactKind::Date | FactKind::Number => 5.0,
        FactKind::Name => 4.0,
        FactKind::Identifier | FactKind::Quoted => 3.0,
        FactKind::Negation => 1.5,
    }
}

fn pinned_units(work: &Work<'_>) -> Vec<bool> {
    let mut pins = work.pins.iter().peekable();
    let holds = |end: usize| {
        let mut holds = false;
        while pins.next_if(|pin| pin.start < end).is_some() {
            holds = true;
        }
        holds
    };
    work.units().iter().map(|unit| unit.end).map(holds).collect()
}

#[derive(Default)]
struct Vocabulary {
    words: HashMap<String, Option<u32>>,
    facts: HashMap<(FactKind, String), u32>,
    /// In how many units each concept is.
    units_len: Vec<u32>,
    /// What kind of fact each concept is; `None` for a word.
    kinds: Vec<Option<FactKind>>,
    lower: String,
}

impl Vocabulary {
    fn concept(&mut self, kind: Option<FactKind>) -> u32 {
        self.units_len.push(0);
        self.kinds.push(kind);
        // A text of 16 MiB has fewer words than that.
        u32::try_from(self.units_len.len() - 1).unwrap_or(u32::MAX)
    }

    /// `None` for a word that says nothing.
    fn word(&mut self, word: &str) -> Option<u32> {
        self.lower.clear();
        self.lower.extend(word.chars().flat_map(char::to_lowercase));
        if let Some(known) = self.words.get(self.lower.as_str()) {
            return *known;
        }
        let says = (self.lower.len() > 2 || !self.lower.is_ascii()) && !is_stop_word(&self.lower);
        let concept = says.then(|| self.concept(None));
        self.words.insert(self.lower.clone(), concept);
        concept
    }

    fn fact(&mut self, kind: FactKind, key: &str) -> u32 {
        if let Some(known) = self.facts.get(&(kind, key.to_owned())) {
            return *known;
        }
        let concept = self.concept(Some(kind));
        self.facts.insert((kind, key.to_owned()), concept);
        concept
    }

    fn weights(&self, units_len: usize) -> Vec<f64> {
        let all = units_len as f64;
        let weight = |(units_len, fact): (&u32, &Option<FactKind>)| {
            let of = f64::from(*units_len);
            let idf = (1.0 + (all - of + 0.5) / (of + 0.5)).ln();
            match fact {
                Some(kind) => idf * fact_weight(*kind),
                None => idf * (of.max(1.0).ln() + SINGLE_WORD_WEIGHT),
            }
        };
        self.units_len.iter().zip(&self.kinds).map(weight).collect()
    }
}
