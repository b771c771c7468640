//! Which riddles of a dataset are asked.

use std::collections::BTreeMap;

use playhouse_protocol::riddle::Difficulty;
use playhouse_protocol::{RandomSource as _, SeededSource};

use super::template::Item;
use crate::riddles::Riddle;

/// What riddles have to be like. An empty list takes all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Select {
    /// One of these difficulties.
    pub difficulty: Vec<Difficulty>,
    /// One of these forms.
    pub forms: Vec<String>,
    /// At least one of these tags.
    pub tags: Vec<String>,
}

/// The riddles that are as wanted, in their order.
pub fn selected(riddles: Vec<Riddle>, select: &Select) -> Vec<Riddle> {
    let is_wanted = |riddle: &Riddle| {
        (select.difficulty.is_empty() || select.difficulty.contains(&riddle.difficulty))
            && (select.forms.is_empty() || select.forms.contains(&riddle.form))
            && (select.tags.is_empty() || select.tags.iter().any(|tag| riddle.tags.contains(tag)))
    };
    riddles.into_iter().filter(is_wanted).collect()
}

/// Draws `count` items, of each group and difficulty about its share, and keeps their order. The same seed draws the same.
pub fn sample(items: Vec<Item>, count: usize, seed: u64) -> Vec<Item> {
    if count >= items.len() {
        return items;
    }
    let random = SeededSource::from_seed(seed).fork("items");
    // Within its group each item has a place drawn by chance; the items are then taken evenly through all groups.
    let mut groups = BTreeMap::<_, Vec<(u64, usize)>>::new();
    for (index, item) in items.iter().enumerate() {
        let group = (item.group.as_str(), item.difficulty);
        groups.entry(group).or_default().push((random.next_u64(), index));
    }
    let mut places: Vec<(f64, u64, usize)> = Vec::with_capacity(items.len());
    for group in groups.values_mut() {
        group.sort_unstable();
        let len = group.len() as f64;
        // Where a group begins is drawn too, so that small groups have the same chance as large ones.
        let begin = (random.next_u64() >> 11) as f64 / (1_u64 << 53) as f64;
        let of_group = group.iter().enumerate();
        let of_group = of_group.map(|(rank, (drawn, index))| ((rank as f64 + begin) / len, *drawn, *index));
        places.extend(of_group);
    }
    places.sort_by(|a, b| a.0.total_cmp(&b.0).then_with(|| a.1.cmp(&b.1)));
    let mut taken: Vec<_> = places.into_iter().take(count).map(|(_, _, index)| index).collect();
    taken.sort_unstable();
    let mut items: Vec<_> = items.into_iter().map(Some).collect();
    taken.into_iter().filter_map(|index| items.get_mut(index)?.take()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::riddles::classic;

    fn items() -> Vec<Item> {
        classic().unwrap().riddles.into_iter().map(Item::from).collect()
    }

    #[test]
    fn a_sample_has_its_share_of_every_group_and_is_the_same_for_the_same_seed() {
        let drawn = sample(items(), 30, 7);
        assert_eq!(drawn.len(), 30);
        let mut count = BTreeMap::<_, usize>::new();
        for item in &drawn {
            *count.entry(item.group.as_str()).or_default() += 1;
        }
        assert!(count.values().all(|count| (4..=6).contains(count)), "{count:?}");
        assert_eq!(drawn, sample(items(), 30, 7));
        assert_ne!(drawn, sample(items(), 30, 8));
        let all = items();
        let places: Vec<_> = drawn.iter().map(|item| all.iter().position(|one| one == item)).collect();
        assert!(places.is_sorted());
    }

    #[test]
    fn a_sample_of_more_than_there_is_is_all() {
        assert_eq!(sample(items(), 1_000, 1), items());
    }

    #[test]
    fn riddles_are_selected_by_form_difficulty_and_tag() {
        let select = Select {
            difficulty: vec![Difficulty::Hard],
            forms: vec!["logic".to_owned(), "counting".to_owned()],
            tags: Vec::new(),
        };
        assert_eq!(selected(classic().unwrap().riddles, &select).len(), 6);
        assert_eq!(selected(classic().unwrap().riddles, &Select::default()).len(), 60);
    }
}
