//! Files that are no models, or not whole.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use super::tiny::{Random, Tiny};
use crate::local::LocalError;
use crate::local::engine::Engine;
use crate::local::error::LocalErrorReason;
use crate::local::inspect::inspect;
use crate::local::vocabulary::Vocabulary;

fn load(path: &Path) -> Result<(), LocalErrorReason> {
    let vocabulary = Arc::new(Vocabulary::open(path)?);
    Engine::load(path, vocabulary, Some(1)).map(|_| ())
}

fn check(bytes: &[u8], expected: &str) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.gguf");
    fs::write(&path, bytes).unwrap();
    let reason = load(&path).unwrap_err().to_string();
    assert!(reason.contains(expected) && !reason.contains('\n'), "{reason:?}");
}

#[test]
fn file_that_is_something_else_is_named_so() {
    check(b"", "not a GGUF file");
    check(b"GG", "not a GGUF file");
    check(b"PK\x03\x04 an archive", "not a GGUF file");
    check(b"GGUF", "damaged or cut short");
    check(b"GGUF\x09\0\0\0", "damaged or cut short");
    check(&[b"GGUF\x03\0\0\0".to_vec(), vec![0xff; 64]].concat(), "damaged or cut short");
    assert_eq!(load(Path::new("/nonexistent/model.gguf")).unwrap_err().to_string(), "it is not there");
    assert_eq!(load(&std::env::temp_dir()).unwrap_err().to_string(), "it is not a GGUF file");
}

#[test]
fn file_cut_short_anywhere_is_an_error() {
    let file = Tiny::default().write();
    let whole = fs::read(&file.path).unwrap();
    let cuts = (0..64).map(|part| whole.len() * part / 64).chain([whole.len() - 1]);
    for cut in cuts {
        let error = {
            fs::write(&file.path, &whole[..cut]).unwrap();
            load(&file.path).unwrap_err()
        };
        assert!(
            matches!(error, LocalErrorReason::NotGguf | LocalErrorReason::Damaged(_)),
            "cut at {cut}: {error}"
        );
    }
}

#[test]
fn wrong_bytes_in_the_head_do_no_harm() {
    let file = Tiny::default().write();
    let whole = fs::read(&file.path).unwrap();
    let mut random = Random(5);
    let mut position = || usize::try_from(random.next()).unwrap();
    for _ in 0..400 {
        let mut bytes = whole.clone();
        // Keys, lengths and types stand at the beginning and, for tensors, before the data.
        let at = position() % 8000;
        bytes[at] = u8::try_from(position() % 256).unwrap();
        fs::write(&file.path, &bytes).unwrap();
        // Whether it can still be loaded depends on the byte; it must not panic or ask for much memory.
        drop(load(&file.path));
    }
}

#[test]
fn alignment_of_zero_is_damage() {
    let file = Tiny::default().write();
    let whole = fs::read(&file.path).unwrap();
    let mut bytes = whole[..16].to_vec();
    bytes.extend(u64::from_le_bytes(whole[16..24].try_into().unwrap()).wrapping_add(1).to_le_bytes());
    bytes.extend(17_u64.to_le_bytes());
    bytes.extend(b"general.alignment");
    bytes.extend(4_u32.to_le_bytes());
    bytes.extend(0_u32.to_le_bytes());
    bytes.extend(&whole[24..]);
    check(&bytes, "damaged or cut short");
}

#[test]
fn model_that_is_not_supported_is_named_so() {
    let other = Tiny { architecture: "mamba", ..Tiny::default() }.write();
    let error = load(&other.path).unwrap_err().to_string();
    assert_eq!(error, "architecture mamba is not supported (supported: llama, qwen2)");
    let bare = Tiny { template: None, ..Tiny::default() }.write();
    assert!(matches!(load(&bare.path), Err(LocalErrorReason::NoTemplate)));
    let broken = Tiny { template: Some("{% if %}"), ..Tiny::default() }.write();
    assert!(matches!(load(&broken.path), Err(LocalErrorReason::Template(_))));
}

#[test]
fn head_tells_what_the_model_is() {
    let file = Tiny::default().write();
    let facts = inspect(&file.path).unwrap();
    assert_eq!(
        (facts.architecture.as_str(), facts.context_tokens, facts.chat_template),
        ("llama", 2048, true)
    );
    assert!(facts.parameters > 60_000 && facts.size_bytes > 60_000);
    let missing: LocalError = inspect(Path::new("/nonexistent/m.gguf")).unwrap_err();
    assert_eq!(missing.to_string(), "use model file /nonexistent/m.gguf: it is not there");
}
