//! The templates that come along, to be written out and changed.

/// A template that comes along.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShippedTemplate {
    /// Its name.
    pub name: &'static str,
    /// What it is for, as a sentence.
    pub purpose: &'static str,
    /// Its text, in YAML.
    pub text: &'static str,
}

/// The templates that come along.
pub const fn shipped() -> [ShippedTemplate; 5] {
    [
        ShippedTemplate {
            name: "models",
            purpose: "Two models on the same riddles, in the same way.",
            text: include_str!("../../experiments/models.yaml"),
        },
        ShippedTemplate {
            name: "reasoning-modes",
            purpose: "One model on the same riddles, made to think in five ways; stops early.",
            text: include_str!("../../experiments/reasoning-modes.yaml"),
        },
        ShippedTemplate {
            name: "prompts",
            purpose: "One model on the same riddles, asked with two prompts.",
            text: include_str!("../../experiments/prompts.yaml"),
        },
        ShippedTemplate {
            name: "compression",
            purpose: "The same questions about the same texts, each text made short in several ways.",
            text: include_str!("../../experiments/compression.yaml"),
        },
        ShippedTemplate {
            name: "develop",
            purpose: "Two models write code for the same specs, and a reviewer judges both.",
            text: include_str!("../../experiments/develop.yaml"),
        },
    ]
}
