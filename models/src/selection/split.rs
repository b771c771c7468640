//! Shares of tasks.

use std::collections::BTreeMap;

use playhouse_protocol::TaskId;

use crate::digest::FieldDigest;

/// The arms of a split in the order in which a task takes them: the first is its own, the others stand in for it. Depends
/// on the task, its type and the weights alone, so it is the same in every process. An arm that is passed over moves its own
/// tasks and no others. Without a task the heaviest arm is the first.
pub(super) fn order<'a>(
    arms: &'a BTreeMap<String, u32>,
    task_type: &str,
    task_id: Option<TaskId>,
) -> Vec<&'a str> {
    let mut left: Vec<(&str, u32)> = arms.iter().map(|(model, weight)| (model.as_str(), *weight)).collect();
    let Some(task_id) = task_id else {
        left.sort_by_key(|(_, weight)| std::cmp::Reverse(*weight));
        return left.into_iter().map(|(model, _)| model).collect();
    };
    let mut order = Vec::with_capacity(left.len());
    while !left.is_empty() {
        let total: u64 = left.iter().map(|(_, weight)| u64::from(*weight)).sum();
        let mut point = draw(task_type, task_id, order.len(), total);
        let arm = left.iter().position(|(_, weight)| match point.checked_sub(u64::from(*weight)) {
            None => true,
            Some(rest) => {
                point = rest;
                false
            }
        });
        order.push(left.remove(arm.unwrap_or(0)).0);
    }
    order
}

/// A number below `total` for a task and the place that is drawn for.
fn draw(task_type: &str, task_id: TaskId, place: usize, total: u64) -> u64 {
    let mut fields = FieldDigest::new("split");
    fields.text(task_type).bytes(task_id.as_bytes()).count(place);
    let drawn = fields.end().iter().take(8).rev().fold(0, |drawn, byte| (drawn << 8) | u64::from(*byte));
    // The high half of the product maps 64 random bits onto 0..total without a division.
    u64::try_from((u128::from(drawn) * u128::from(total)) >> 64).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use playhouse_protocol::SeededSource;
    use proptest::prelude::*;

    use super::*;

    fn ids(seed: u64, count: u64) -> impl Iterator<Item = TaskId> {
        let random = SeededSource::from_seed(seed);
        (0..count).map(move |number| TaskId::new(number, &random))
    }

    fn arms(weights: &[u32]) -> BTreeMap<String, u32> {
        weights.iter().enumerate().map(|(number, weight)| (format!("m{number}"), *weight)).collect()
    }

    #[test]
    fn a_task_has_the_same_arm_in_every_process() {
        let arms = arms(&[1, 1, 2]);
        let chosen: Vec<_> = ids(1, 12).map(|id| order(&arms, "review", Some(id)).concat()).collect();
        // Held still: a task that is tried again by another version of this program keeps its arm.
        insta::assert_snapshot!(chosen.join(" "), @"m1m2m0 m2m1m0 m1m2m0 m2m1m0 m2m1m0 m2m1m0 m0m1m2 m1m2m0 m0m1m2 m2m1m0 m2m0m1 m0m2m1");
    }

    #[test]
    fn without_a_task_the_heaviest_arm_is_taken() {
        assert_eq!(order(&arms(&[1, 5, 3]), "review", None), ["m1", "m2", "m0"]);
    }

    #[test]
    fn types_of_tasks_are_split_apart() {
        let arms = arms(&[1, 1]);
        let differ = ids(1, 1_000)
            .filter(|id| order(&arms, "review", Some(*id))[0] != order(&arms, "generate", Some(*id))[0]);
        let differ = differ.count();
        assert!((400..600).contains(&differ), "{differ}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        /// Each share lies within five standard deviations: a right split fails less than once in a million arms.
        #[test]
        fn shares_are_as_weighted(weights in prop::collection::vec(1_u32..100, 1..5), seed: u64) {
            const TASKS: u64 = 4_000;
            let arms = arms(&weights);
            let total: u32 = weights.iter().sum();
            let mut counts = BTreeMap::<String, u64>::new();
            for id in ids(seed, TASKS) {
                *counts.entry(order(&arms, "review", Some(id))[0].to_owned()).or_default() += 1;
            }
            for (model, weight) in &arms {
                let share = f64::from(*weight) / f64::from(total);
                let expected = share * TASKS as f64;
                let deviation = (expected * (1.0 - share)).sqrt();
                let count = counts.get(model).copied().unwrap_or(0) as f64;
                prop_assert!((count - expected).abs() <= 5.0 * deviation + 1.0, "{model}: {count}, {expected}");
            }
        }

        #[test]
        fn an_order_has_every_arm_once(weights in prop::collection::vec(1_u32..=u32::MAX, 1..6), seed: u64) {
            let arms = arms(&weights);
            let id = ids(seed, 1).next().unwrap();
            let mut order = order(&arms, "review", Some(id));
            order.sort_unstable();
            prop_assert_eq!(order, arms.keys().map(String::as_str).collect::<Vec<_>>());
        }
    }
}
