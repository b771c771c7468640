//! Counting by the two encodings of today's models: the one door to bpe-openai.
//!
//! It counts what tiktoken-rs counts (the tests here hold that), only faster, and its work grows with the
//! text's length alone: one unbroken run costs no more per byte than prose. So whole texts are counted, and no cut can
//! change a count.

use bpe_openai::Tokenizer;

/// An encoding that has a fast encoder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FastEncoding {
    Cl100k,
    /// Also what `o200k_harmony` counts ordinary text by: the two differ in special tokens.
    O200k,
}

impl FastEncoding {
    /// The encoder, built at the first use in this process and shared.
    fn encoder(self) -> &'static Tokenizer {
        match self {
            Self::Cl100k => bpe_openai::cl100k_base(),
            Self::O200k => bpe_openai::o200k_base(),
        }
    }

    /// Builds the encoder.
    pub(super) fn warm_up(self) {
        let _ = self.encoder();
    }

    /// Tokens of a text; what looks like a special token is ordinary characters.
    pub(super) fn count(self, text: &str) -> u64 {
        self.encoder().count(text) as u64
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tiktoken_rs::CoreBPE;

    use super::*;

    const BOTH: [FastEncoding; 2] = [FastEncoding::Cl100k, FastEncoding::O200k];

    /// What tiktoken-rs has for it.
    fn tiktoken(encoding: FastEncoding) -> [&'static CoreBPE; 2] {
        match encoding {
            FastEncoding::Cl100k => [tiktoken_rs::cl100k_base_singleton(); 2],
            FastEncoding::O200k => {
                [tiktoken_rs::o200k_base_singleton(), tiktoken_rs::o200k_harmony_singleton()]
            }
        }
    }

    #[track_caller]
    fn check(text: &str) {
        for encoding in BOTH {
            for peer in tiktoken(encoding) {
                let expected = peer.count_ordinary(text) as u64;
                assert_eq!(encoding.count(text), expected, "{encoding:?} {text:?}");
            }
        }
    }

    #[test]
    fn the_counts_of_texts_are_those_of_tiktoken() {
        for text in [
            "",
            " ",
            "\n",
            "a\n  ",
            "a \n \n  b\n\n\n",
            "\r\n\r\n  x\r\n",
            "\u{a0}\u{2003}x\u{3000}\u{85}\u{2028}",
            "<|endoftext|><|fim_prefix|> <|im_start|>user<|im_end|>",
            "don't DON'T we'll o\u{2019}clock 'Sam 's'S'ſ",
            "12345678901234567890 3.14 1_000 ½²③",
            "👩‍👩‍👧‍👦🏽🇩🇪 ❤️ \u{200d}\u{fe0f}",
            "Съешь же ещё этих мягких французских булок, да выпей чаю",
            "お誕生日おめでとう。東京都、한국어 조선글",
            "مرحبا بالعالم עברית हिन्दी ไทย e\u{301}\u{327}",
            "ǅungla ʰʷ Ⅷ ﬁ",
            include_str!("tiktoken.rs"),
            include_str!("../../../docs/architecture.md"),
        ] {
            check(text);
        }
    }

    #[test]
    fn the_counts_of_long_runs_are_those_of_tiktoken() {
        for unit in ["a", " ", "\n", "\t", "=", "é", "я", "漢", "🙂", "aB", "\r\n", " \n", "1", "'s"] {
            check(&unit.repeat(3_000));
            check(&format!("x{}y", unit.repeat(2_000)));
        }
    }

    /// The two libraries split white space by differently written patterns, whose orders differ at a text's end.
    #[test]
    fn the_counts_of_white_space_are_those_of_tiktoken() {
        let units = [" ", "\n", "\t", "\r", "\u{3000}"];
        for number in 0..units.len().pow(5) {
            let run: String =
                (0..5_u32).map(|digit| units[number / units.len().pow(digit) % units.len()]).collect();
            check(&format!("a{run}"));
            check(&format!("{run}a"));
        }
        for (first, second) in [("\n", " "), (" ", "\n"), ("\n", "\t"), ("\r\n", " "), ("\t", " ")] {
            for (a, b) in (1..40).flat_map(|a| (1..40).map(move |b| (a, b))) {
                check(&format!("a{}{}", first.repeat(a), second.repeat(b)));
            }
        }
    }

    /// Parts that meet each other in every way: what splitting patterns tell apart.
    fn parts() -> impl Strategy<Value = String> {
        let part = prop_oneof![
            4 => "[a-z]{1,8}",
            2 => "[A-Za-z']{1,8}",
            3 => " {1,5}",
            2 => "[ \t\r\n]{1,6}",
            1 => Just("\r\n".to_owned()),
            1 => "[0-9]{1,7}",
            2 => "[{}()\\[\\];:=+*/<>|&.,_#-]{1,4}",
            1 => "[а-яА-ЯёЁ]{1,8}",
            1 => "[\u{4e00}-\u{4e80}\u{3041}-\u{3096}]{1,5}",
            1 => "[\u{1f300}-\u{1f64f}\u{200d}\u{fe0f}]{1,3}",
            1 => "\\s{1,4}",
            1 => "[\\p{M}\\p{Lm}\\p{Lt}]{1,3}",
            1 => Just("<|endoftext|>".to_owned()),
            1 => "\\PC{1,6}",
            1 => ".{1,6}",
            1 => any::<char>().prop_map(String::from),
            1 => ("[a-z =\u{44f}]", 1_usize..300).prop_map(|(unit, times)| unit.repeat(times)),
        ];
        prop::collection::vec(part, 0..40).prop_map(|parts| parts.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1_000))]

        #[test]
        fn any_text_has_the_count_of_tiktoken(text in parts()) {
            check(&text);
        }
    }
}
