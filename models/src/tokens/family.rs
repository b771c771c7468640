//! What was measured of model families that no encoding of tiktoken counts exactly.

use super::Encoding;

/// The encoding whose counts the factors multiply.
pub(super) const MEASURED_BY: Encoding = Encoding::O200k;

/// Families by how their models' names begin, with their tokens by those of [`MEASURED_BY`].
const FACTORS: &[(&str, f64)] = &[("qwen", 1.0), ("smollm", 1.0)];

/// The factor of a model's family, where it was measured. Names as routers write them (`qwen/qwen3`) are understood.
pub(super) fn factor(model: &str) -> Option<f64> {
    let name = super::tiktoken::bare_name(model).to_ascii_lowercase();
    FACTORS.iter().find(|(family, _)| name.starts_with(family)).map(|(_, factor)| *factor)
}
