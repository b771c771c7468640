//! Which token comes next.

use playhouse_protocol::completion::Sampling;

use crate::error::ModelErrorKind;

/// Above it, probabilities are so even that answers are noise; providers agree on this limit.
const TEMPERATURE_MAX: f32 = 2.0;

/// Chooses tokens for one answer. The same settings and scores give the same choices.
#[derive(Debug)]
pub(super) struct Sampler {
    settings: Option<Settings>,
    random: SplitMix,
    /// Scores with their tokens, sorted; kept from token to token.
    candidates: Vec<(f32, u32)>,
}

#[derive(Debug)]
struct Settings {
    temperature: f32,
    top_p: f32,
    top_k: usize,
}

impl Sampler {
    /// `seed_default` serves where the request has no seed.
    ///
    /// # Errors
    /// When a setting is outside its range.
    pub(super) fn new(sampling: &Sampling, seed_default: u64) -> Result<Self, ModelErrorKind> {
        let wrong = |field, reason: String| Err(ModelErrorKind::InvalidRequest { field, reason });
        let temperature = sampling.temperature.unwrap_or(0.0);
        if !(0.0..=TEMPERATURE_MAX).contains(&temperature) {
            return wrong("temperature", format!("{temperature} is not between 0 and {TEMPERATURE_MAX}"));
        }
        let top_p = sampling.top_p.unwrap_or(1.0);
        if !(top_p > 0.0 && top_p <= 1.0) {
            return wrong("top_p", format!("{top_p} is not above 0 and at most 1"));
        }
        if sampling.top_k == Some(0) {
            return wrong("top_k", "0 is less than 1".to_owned());
        }
        let top_k = sampling.top_k.map_or(usize::MAX, |top_k| top_k as usize);
        Ok(Self {
            settings: (temperature > 0.0).then_some(Settings { temperature, top_p, top_k }),
            random: SplitMix(sampling.seed.unwrap_or(seed_default)),
            candidates: Vec::new(),
        })
    }

    /// The next token. Of equal scores the lower token wins.
    pub(super) fn choose(&mut self, scores: &[f32]) -> u32 {
        match &self.settings {
            None => best(scores),
            Some(settings) => {
                let chance = self.random.fraction();
                draw(settings, scores, chance, &mut self.candidates)
            }
        }
    }
}

fn best(scores: &[f32]) -> u32 {
    let first = (f32::NEG_INFINITY, 0);
    let best = scores.iter().zip(0_u32..).fold(
        first,
        |best, (&score, token)| {
            if score > best.0 { (score, token) } else { best }
        },
    );
    best.1
}

/// The candidate at which the summed probability passes `chance`.
fn draw(settings: &Settings, scores: &[f32], chance: f32, candidates: &mut Vec<(f32, u32)>) -> u32 {
    let by_score = |a: &(f32, u32), b: &(f32, u32)| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1));
    candidates.clear();
    candidates.extend(scores.iter().copied().zip(0..));
    if settings.top_k < candidates.len() {
        candidates.select_nth_unstable_by(settings.top_k, by_score);
        candidates.truncate(settings.top_k);
    }
    candidates.sort_unstable_by(by_score);
    let Some(&(largest, first)) = candidates.first() else { return 0 };
    let mut total = 0.0;
    for (score, _) in candidates.iter_mut() {
        *score = ((*score - largest) / settings.temperature).exp();
        total += *score;
    }
    // The smallest set of the most probable tokens that reaches `top_p`.
    let wanted = total * settings.top_p;
    let mut kept = 0.0;
    let enough = candidates.iter().position(|(weight, _)| {
        kept += weight;
        kept >= wanted
    });
    candidates.truncate(enough.map_or(candidates.len(), |last| last + 1));
    let mut left = chance * kept;
    for (weight, token) in candidates.iter() {
        left -= weight;
        if left < 0.0 {
            return *token;
        }
    }
    candidates.last().map_or(first, |(_, token)| *token)
}

/// A small random source that stays the same over versions of libraries.
/// Source: Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators" (2014), figure 16.
#[derive(Debug)]
struct SplitMix(u64);

impl SplitMix {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// At least 0, less than 1, from the upper 24 bits: as many as single precision holds.
    fn fraction(&mut self) -> f32 {
        (self.next() >> 40) as f32 / (1_u32 << 24) as f32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCORES: [f32; 4] = [0.0, 2.0, 1.0, 2.0];

    fn choices(sampling: Sampling, count: usize) -> Vec<u32> {
        let mut sampler = Sampler::new(&sampling, 7).unwrap();
        (0..count).map(|_| sampler.choose(&SCORES)).collect()
    }

    #[test]
    fn without_settings_the_best_token_is_chosen() {
        assert_eq!(choices(Sampling::default(), 2), [1, 1]);
        assert_eq!(choices(Sampling { temperature: Some(0.0), ..Sampling::default() }, 1), [1]);
    }

    #[test]
    fn same_seed_gives_the_same_choices_and_another_seed_others() {
        let seeded = |seed| choices(Sampling { temperature: Some(1.0), seed, ..Sampling::default() }, 64);
        assert_eq!(seeded(Some(1)), seeded(Some(1)));
        assert_ne!(seeded(Some(1)), seeded(Some(2)));
        assert_eq!(seeded(None), seeded(Some(7)));
    }

    #[test]
    fn choices_follow_the_probabilities() {
        let all = choices(Sampling { temperature: Some(1.0), seed: Some(3), ..Sampling::default() }, 20_000);
        let total: f32 = SCORES.iter().map(|score| score.exp()).sum();
        for (token, score) in SCORES.iter().enumerate() {
            let share = all.iter().filter(|choice| **choice as usize == token).count() as f32 / 20_000.0;
            assert!((share - score.exp() / total).abs() < 0.02, "token {token} has a share of {share}");
        }
    }

    #[test]
    fn top_k_and_top_p_leave_out_what_is_improbable() {
        let sampling = Sampling { temperature: Some(2.0), seed: Some(1), ..Sampling::default() };
        assert!(choices(Sampling { top_k: Some(1), ..sampling }, 50).iter().all(|choice| *choice == 1));
        assert!(
            choices(Sampling { top_k: Some(2), ..sampling }, 50).iter().all(|choice| [1, 3].contains(choice))
        );
        assert!(
            choices(Sampling { top_p: Some(0.5), ..sampling }, 50)
                .iter()
                .all(|choice| [1, 3].contains(choice))
        );
        assert!(choices(Sampling { top_k: Some(9), ..sampling }, 200).contains(&0));
    }

    #[test]
    fn settings_outside_their_range_are_refused() {
        let refused = |sampling: Sampling| Sampler::new(&sampling, 0).is_err();
        for temperature in [-0.1, 2.1, f32::NAN] {
            assert!(refused(Sampling { temperature: Some(temperature), ..Sampling::default() }));
        }
        for top_p in [0.0, 1.1, f32::NAN] {
            assert!(refused(Sampling { top_p: Some(top_p), ..Sampling::default() }));
        }
        assert!(refused(Sampling { top_k: Some(0), ..Sampling::default() }));
    }

    #[test]
    fn scores_that_are_no_numbers_choose_some_token() {
        assert_eq!(best(&[f32::NAN, f32::NAN]), 0);
        let mut sampler =
            Sampler::new(&Sampling { temperature: Some(1.0), ..Sampling::default() }, 0).unwrap();
        assert!(sampler.choose(&[f32::NAN; 3]) < 3);
    }
}
