//! Two runs as one, so that their variants can be held against each other.

use std::collections::{BTreeMap, BTreeSet};

use playhouse_config::experiments::Item;
use playhouse_protocol::Failure;

use super::manifest::Manifest;
use super::record::{Ending, Record};
use super::store::StoredRun;

/// The variants of both runs on the items that both have, word for word; those of the first are called `<run>/<variant>`, and its
/// baseline is the baseline. What only one of them asked is left out: items, repeats beyond those of the other.
///
/// # Errors
/// Class `InvalidInput` when both are the same run, are of different tasks, or have no item in common.
pub fn combine(first: &StoredRun, second: &StoredRun) -> Result<StoredRun, Failure> {
    let (a, b) = (&first.manifest, &second.manifest);
    let refuse = |reason: &str, hint: &str| {
        Err(Failure::invalid(format!("compare runs {} and {}: {reason}", a.run, b.run)).with_hint(hint))
    };
    if a.run == b.run {
        return refuse("they are the same", "Name two runs.");
    }
    if a.design.task != b.design.task {
        return refuse("they are of different tasks", "Compare runs of one task.");
    }
    let known: BTreeMap<_, _> = b.design.items.iter().map(|item| (&item.id, item)).collect();
    let is_common = |item: &&Item| known.get(&item.id).is_some_and(|other| other.body == item.body);
    let items: Vec<_> = a.design.items.iter().filter(is_common).cloned().collect();
    if items.is_empty() {
        return refuse("they have no item in common", "Compare runs on the same dataset.");
    }
    let repeats = a.design.repeats.min(b.design.repeats);
    let renamed = |run: &str, variant: &str| format!("{run}/{variant}");
    let mut design = a.design.clone();
    design.name = format!("{} and {}", a.run, b.run);
    "Variants of two runs on the items that both have.".clone_into(&mut design.description);
    design.variants.extend(b.design.variants.iter().cloned());
    let of_first = a.design.variants.len();
    for (place, variant) in design.variants.iter_mut().enumerate() {
        let run = if place < of_first { &a.run } else { &b.run };
        variant.name = renamed(run, &variant.name);
    }
    let ids: BTreeSet<_> = items.iter().map(|item| item.id.clone()).collect();
    let is_kept = |record: &&Record| record.repeat < repeats && ids.contains(&record.item);
    let of = |run: &StoredRun| -> Vec<Record> {
        let name = &run.manifest.run;
        let rename = |record: Record| Record { variant: renamed(name, &record.variant), ..record };
        run.records.iter().filter(is_kept).cloned().map(rename).collect()
    };
    let records = [of(first), of(second)].concat();
    (design.items, design.repeats, design.stopping) = (items, repeats, None);
    let prompts = |manifest: &Manifest| -> Vec<(String, String)> {
        let hashes = manifest.prompts_sha256.iter();
        hashes.map(|(variant, hash)| (renamed(&manifest.run, variant), hash.clone())).collect()
    };
    let manifest = Manifest {
        run: design.name.clone(),
        template_yaml: None,
        prompts_sha256: [prompts(a), prompts(b)].concat().into_iter().collect(),
        models: a.models.clone().into_iter().chain(b.models.clone()).collect(),
        design,
        ..a.clone()
    };
    // What either left unasked is missing here too.
    let is_whole = [first, second].iter().all(|run| run.ending == Some(Ending::Complete));
    let ending = if is_whole { Ending::Complete } else { Ending::Open };
    Ok(StoredRun {
        folder: first.folder.clone(),
        manifest,
        records,
        ending: Some(ending),
        changed: Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::analysis::analyse;
    use crate::fixture;
    use playhouse_config::experiments::ItemBody;

    fn run(name: &str, variants: &[&str], items: usize, repeats: u32, text: &str) -> StoredRun {
        let design = fixture::design(variants, fixture::items(items), repeats);
        let mut records = Vec::new();
        for variant in variants {
            for item in &design.items {
                records.extend(
                    (0..repeats).map(|repeat| fixture::record(variant, &item.id, repeat, (text, 20))),
                );
            }
        }
        let manifest = Manifest { run: name.to_owned(), ..fixture::manifest(design) };
        StoredRun {
            folder: PathBuf::new(),
            manifest,
            records,
            ending: Some(Ending::Complete),
            changed: Vec::new(),
        }
    }

    #[test]
    fn variants_of_two_runs_are_held_against_each_other_on_what_both_were_asked() {
        let first = run("old-1", &["direct"], 12, 2, "wrong");
        let mut second = run("new-1", &["direct", "steps"], 10, 1, "right");
        let ItemBody::Question { question, .. } = &mut second.manifest.design.items[9].body else { panic!() };
        question.push_str(" Really?");
        let combined = combine(&first, &second).unwrap();
        let report =
            analyse(&combined.manifest, &combined.records, Ending::Complete, &fixture::scorer).unwrap();
        assert_eq!((report.counts.items, report.counts.asked), (9, 27));
        let names: Vec<_> = report.cells.iter().map(|cell| cell.variant.as_str()).collect();
        assert_eq!(names, ["old-1/direct", "new-1/direct", "new-1/steps"]);
        assert_eq!((report.comparisons[0].wins, report.comparisons[0].losses), (9, 0));
    }

    #[test]
    fn runs_that_have_nothing_in_common_are_refused() {
        let first = run("old-1", &["direct"], 3, 1, "wrong");
        let mut second = run("new-1", &["direct"], 3, 1, "wrong");
        assert!(combine(&first, &first).unwrap_err().message.contains("they are the same"));
        second.manifest.design.items.iter_mut().for_each(|item| item.id.push('x'));
        assert!(combine(&first, &second).unwrap_err().message.contains("no item in common"));
        second.manifest.design.task = playhouse_config::experiments::ExperimentTask::Develop;
        assert!(combine(&first, &second).unwrap_err().message.contains("different tasks"));
    }
}
