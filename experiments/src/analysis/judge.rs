//! The judge held against the exact scorer.

use std::collections::BTreeMap;

use playhouse_protocol::riddle::Verdict;
use serde::{Deserialize, Serialize};

use super::summary::{ShareSummary, share};
use super::table::Table;
use crate::run::Evidence;
use crate::statistics::StatisticsError;
use crate::statistics::agreement::cohens_kappa;
use crate::statistics::paired::Pairs;

/// How far the judge and the exact scorer agree, over the answers of all variants.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JudgeAgreement {
    /// Right and not right by the exact scorer (first) and by the judge (second).
    pub table: Pairs,
    /// Answers of which the judge said neither.
    pub undecided: u64,
    /// How often they agree, of the answers on which the judge decided; `None` where there are none.
    pub agreement: Option<ShareSummary>,
    /// The agreement beyond chance (Cohen's kappa); `None` where both always say the same one thing.
    pub kappa: Option<f64>,
}

/// `None` where no answer was judged.
pub(super) fn agreement(table: &Table<'_>) -> Result<Option<JudgeAgreement>, StatisticsError> {
    let (mut pairs, mut undecided) = (Vec::new(), 0);
    let mut items: BTreeMap<usize, (u64, u64)> = BTreeMap::new();
    for ((_, item, _), answer) in table.all() {
        let Evidence::Riddle(riddle) = &answer.record.evidence else { continue };
        let Some(judgement) = &riddle.judgement else { continue };
        let Some(judged) = judgement.is_right else {
            undecided += 1;
            continue;
        };
        let scored = riddle.score.verdict == Verdict::Right;
        let (agreed, all) = items.entry(*item).or_default();
        *agreed += u64::from(scored == judged);
        *all += 1;
        pairs.push((scored, judged));
    }
    if pairs.is_empty() && undecided == 0 {
        return Ok(None);
    }
    let pairs: Pairs = pairs.into_iter().collect();
    let items: Vec<_> = items.into_values().collect();
    Ok(Some(JudgeAgreement {
        table: pairs,
        undecided,
        agreement: share(&items, table.design.confidence)?,
        kappa: cohens_kappa(&pairs),
    }))
}
