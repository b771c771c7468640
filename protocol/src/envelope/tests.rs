use proptest::prelude::*;

use super::*;
use crate::completion::{ChatMessage, CompletionRequest, ResponseFormat, Sampling};
use crate::develop::Develop;

fn request() -> CompletionRequest {
    CompletionRequest {
        messages: [ChatMessage::system("be brief"), ChatMessage::user("hi")].into(),
        sampling: Sampling { temperature: Some(0.5), seed: Some(7), ..Sampling::default() },
        completion_tokens_max: Some(300),
        stop: vec!["END".to_owned()],
        format: ResponseFormat::JsonSchema { name: "v".to_owned(), schema: "{}".to_owned() },
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

#[test]
fn no_number_is_given_twice() {
    let mut kinds = KINDS.to_vec();
    kinds.sort_unstable();
    kinds.dedup();
    assert_eq!(kinds.len(), KINDS.len());
}

#[test]
fn the_bytes_of_version_1_stay_as_they_are() {
    assert_eq!(hex(&encode(&request()).unwrap()), GOLDEN_REQUEST);
    assert_eq!(
        hex(&encode(&Develop { spec: "f".to_owned(), ..Develop::default() }).unwrap()),
        GOLDEN_DEVELOP
    );
}
const GOLDEN_REQUEST: &str = "504801010100270000002bab75f7020008626520627269656601026869010000003f0000010701fb2c010103454e44010176027b7d";
const GOLDEN_DEVELOP: &str = "504801010e000d00000079b2a73801660000000102000000000000";

#[test]
fn the_bytes_that_journals_hold_stay_as_they_are() {
    use crate::journal::{FailedAttempt, StepKind};
    use crate::task::{Durability, Priority, TaskOptions};
    use crate::usage::{Budget, Usage};
    use crate::{Failure, FailureClass, IdempotencyKey};

    let failure = Failure::new(FailureClass::Deadline, "f").with_hint("h").with_retry_after_ms(7);
    let options = TaskOptions {
        timeout_ms: Some(1),
        attempt_timeout_ms: Some(2),
        budget: Budget { tokens_max: Some(3), ..Budget::default() },
        priority: Priority::High,
        durability: Durability::None,
        attempts_max: Some(4),
        idempotency_key: IdempotencyKey::try_from("k".to_owned()).ok(),
        ..TaskOptions::default()
    };
    let usage = Usage {
        model_calls: 1,
        prompt_tokens: 2,
        cached_prompt_tokens: 3,
        completion_tokens: 4,
        cost_nano_usd: 5,
    };
    let written = [
        hex(&encode(&options).unwrap()),
        hex(&encode(&failure).unwrap()),
        hex(&encode(&FailedAttempt { attempt: 2, failure, unix_ms: 300 }).unwrap()),
        hex(&encode(&StepKind::ModelCall { model: "m".to_owned() }).unwrap()),
        hex(&encode(&usage).unwrap()),
        hex(&encode_agent_value(9, &(1_u8, "a")).unwrap()),
    ];
    assert_eq!(written, GOLDEN_JOURNAL);
    assert_eq!(decode::<TaskOptions>(&encode(&options).unwrap()).unwrap(), options);
    assert_eq!(
        decode_agent_value::<(u8, String)>(9, &encode_agent_value(9, &(1_u8, "a")).unwrap()).unwrap().0,
        1
    );
    assert!(decode_agent_value::<(u8, String)>(8, &encode_agent_value(9, &(1_u8, "a")).unwrap()).is_err());
}
const GOLDEN_JOURNAL: [&str; 6] = [
    "50480102140017000000ad09038d0764656661756c7401010102010300000201010401016b",
    "50480101170008000000d2fa74e20401660101680107",
    "5048010118000c0000003328e573020401660101680107fb2c01",
    "5048010119000300000010c64e0500016d",
    "504801011a0005000000112c7eea0102030405",
    "50480109e80303000000c270ef11010161",
];

#[test]
fn the_bytes_of_what_chat_and_compress_are_asked_and_answer_stay_as_they_are() {
    use crate::ConversationId;
    use crate::chat::ChatTurn;
    use crate::compress::{CompressText, Compressed, Content, Dropped, Pin, PinRule, Strategy, Verification};
    use crate::usage::Usage;

    let compress = CompressText {
        text: "t".to_owned(),
        limit_tokens: 9,
        strategy: Strategy::Keyword,
        pins: vec![Pin::Text("p".to_owned()), Pin::Rule(PinRule::Paths)],
        content: Some(Content::Rust),
        model: Some("m".to_owned()),
    };
    let compressed = Compressed {
        text: "t".to_owned(),
        strategy: Some(Strategy::Middle),
        refused: Vec::new(),
        tokens_before: 3,
        tokens_after: 2,
        ratio: 0.5,
        dropped: vec![Dropped {
            sha256: "h".to_owned(),
            begin: 1,
            end: 2,
            tokens: 1,
            excerpt: "e".to_owned(),
        }],
        verification: Verification { facts_total: 2, facts_kept: 1, score: 0.5, lost: Vec::new() },
        origin: None,
        usage: Usage::default(),
    };
    let turn = ChatTurn {
        conversation: ConversationId::from_bytes([7; 16]),
        text: "t".to_owned(),
        model: Some("m".to_owned()),
        system: None,
        sampling: Sampling { seed: Some(7), ..Sampling::default() },
    };
    let written = [
        hex(&encode_agent_value(1, &compress).unwrap()),
        hex(&encode_agent_value(1, &compressed).unwrap()),
        hex(&encode_agent_value(1, &turn).unwrap()),
    ];
    assert_eq!(written, GOLDEN_AGENTS);
    let read = |hex: &str| {
        (0..hex.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
            .collect::<Vec<_>>()
    };
    assert_eq!(decode_agent_value::<CompressText>(1, &read(GOLDEN_AGENTS[0])).unwrap(), compress);
    assert_eq!(decode_agent_value::<Compressed>(1, &read(GOLDEN_AGENTS[1])).unwrap(), compressed);
    assert_eq!(decode_agent_value::<ChatTurn>(1, &read(GOLDEN_AGENTS[2])).unwrap(), turn);
}
const GOLDEN_AGENTS: [&str; 3] = [
    "50480101e8030f0000004930003201740903020001700104010201016d",
    "50480101e8032800000032a038b101740107000302000000000000e03f01016801020101650201000000000000e03f00000000000000",
    "50480101e8031c00000071dc603f1007070707070707070707070707070707017401016d000000000107",
];

#[test]
fn the_bytes_of_what_the_evaluator_of_riddles_is_asked_and_answers_stay_as_they_are() {
    use crate::completion::{Origin, ProviderKind, StopReason};
    use crate::compress::Strategy;
    use crate::riddle::{
        AnswerKey, AnswerMatch, CompressedContext, ContextCompression, EvaluateRiddle, EvaluatedRiddle,
        Extracted, Judge, Judgement, Match, ReasoningMode, ReasoningStep, Sample, Score, Signals, Source,
        StepAnswer, Verdict,
    };
    use crate::usage::Usage;

    let request = EvaluateRiddle {
        id: "i".to_owned(),
        question: "q".to_owned(),
        context: Some("c".to_owned()),
        compression: Some(ContextCompression { strategy: Strategy::Tail, limit_tokens: 9 }),
        key: AnswerKey {
            matching: AnswerMatch::Number { tolerance: 0.5 },
            answers: vec!["1".to_owned()],
            units: vec!["m".to_owned()],
        },
        mode: ReasoningMode {
            name: "n".to_owned(),
            steps: vec![ReasoningStep { system: Some("s".to_owned()), ask: "a".to_owned() }],
            samples: 2,
        },
        model: Some("m".to_owned()),
        sampling: Sampling { seed: Some(7), ..Sampling::default() },
        completion_tokens_max: Some(3),
        judge: Some(Judge { model: None }),
    };
    let answer = StepAnswer {
        text: "t".to_owned(),
        stop_reason: StopReason::Length,
        usage: Usage { model_calls: 1, ..Usage::default() },
        origin: Origin { model: "m".to_owned(), provider: ProviderKind::Scripted, request_id: None },
        cached: true,
    };
    let reply = EvaluatedRiddle {
        id: "i".to_owned(),
        score: Score {
            verdict: Verdict::Wrong,
            extracted: Some(Extracted { text: "x".to_owned(), source: Source::LastLine }),
            matched: Some(("a".to_owned(), Match::Fuzzy { alike: 0.5 })),
        },
        samples: vec![Sample { steps: vec![answer.clone()], vote: Some("v".to_owned()) }],
        chosen: 0,
        judgement: Some(Judgement { is_right: Some(true), answer }),
        signals: Signals { words: 1, hedges: 2, reversals: 3, is_announced: true },
        compressed: Some(CompressedContext {
            tokens_before: 4,
            tokens_after: 3,
            facts_total: 2,
            facts_kept: 1,
        }),
        usage: Usage::default(),
        elapsed_ms: Some(6),
    };
    let written =
        [hex(&encode_agent_value(1, &request).unwrap()), hex(&encode_agent_value(1, &reply).unwrap())];
    assert_eq!(written, GOLDEN_RIDDLE);
    let bytes = [encode_agent_value(1, &request).unwrap(), encode_agent_value(1, &reply).unwrap()];
    assert_eq!(decode_agent_value::<EvaluateRiddle>(1, &bytes[0]).unwrap(), request);
    assert_eq!(decode_agent_value::<EvaluatedRiddle>(1, &bytes[1]).unwrap(), reply);
}
const GOLDEN_RIDDLE: [&str; 2] = [
    "50480101e8032e0000001701936f0169017101016301060900000000000000e03f01013101016d016e0101017301610201016d000000010701030100",
    "50480101e803460000004f7bb1560169010101780201016101000000000000e03f01010174010100000000016d030001010176000101010174010100000000016d03000101020301010403020100000000000106",
];

#[test]
fn every_cut_and_every_flipped_bit_is_noticed() {
    let bytes = encode(&request()).unwrap();
    for len in 0..bytes.len() {
        assert!(decode::<CompletionRequest>(&bytes[..len]).is_err(), "cut to {len} bytes");
    }
    for bit in 0..bytes.len() * 8 {
        let mut damaged = bytes.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        assert!(decode::<CompletionRequest>(&damaged).is_err(), "bit {bit} flipped");
    }
    let mut longer = bytes;
    longer.push(0);
    assert!(matches!(decode::<CompletionRequest>(&longer), Err(EnvelopeError::Length { .. })));
}

#[test]
fn another_type_and_another_version_are_refused_by_name() {
    let bytes = encode(&request()).unwrap();
    assert_eq!(decode::<Develop>(&bytes).unwrap_err(), EnvelopeError::Kind { found: 1, expected: 14 });

    let mut newer = bytes;
    newer[3] = 2;
    let checksum = checksum(&newer[..CHECKED_HEADER_BYTES], &newer[HEADER_BYTES..]);
    newer[10..14].copy_from_slice(&checksum.to_le_bytes());
    let error = decode::<CompletionRequest>(&newer).unwrap_err();
    assert_eq!(error.to_string(), "decode an envelope: the value has version 2, this program reads 1");
}

#[test]
fn a_value_over_the_limit_is_refused_when_it_is_written() {
    let large = CompletionRequest::new(vec![ChatMessage::user("x".repeat(PAYLOAD_BYTES_MAX))]);
    assert!(matches!(encode(&large), Err(EnvelopeError::TooLarge { .. })));
}

#[test]
fn a_length_that_lies_inside_the_payload_allocates_nothing() {
    // A valid frame whose payload announces a list of 2^60 messages.
    let mut bytes = vec![0_u8; HEADER_BYTES];
    bytes.extend_from_slice(&[253, 0, 0, 0, 0, 0, 0, 0, 16]);
    bytes[..2].copy_from_slice(&MAGIC);
    bytes[2] = LAYOUT_VERSION;
    bytes[3] = 1;
    bytes[4..6].copy_from_slice(&CompletionRequest::KIND.to_le_bytes());
    bytes[6..10].copy_from_slice(&9_u32.to_le_bytes());
    let checksum = checksum(&bytes[..CHECKED_HEADER_BYTES], &bytes[HEADER_BYTES..]);
    bytes[10..14].copy_from_slice(&checksum.to_le_bytes());
    assert!(matches!(decode::<CompletionRequest>(&bytes), Err(EnvelopeError::Malformed { .. })));
}

proptest! {
    #[test]
    fn any_request_comes_back_as_it_was(texts in prop::collection::vec(".*", 0..8), seed: Option<u64>, stop in prop::collection::vec(".*", 0..3)) {
        let request = CompletionRequest {
            messages: texts.into_iter().map(ChatMessage::user).collect(),
            sampling: Sampling { seed, ..Sampling::default() },
            stop,
            ..CompletionRequest::default()
        };
        prop_assert_eq!(decode::<CompletionRequest>(&encode(&request).unwrap()).unwrap(), request);
    }

    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = decode::<CompletionRequest>(&bytes);
    }
}
