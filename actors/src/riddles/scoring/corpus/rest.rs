//! Answers that are none, and answers that were cut.

use playhouse_protocol::completion::StopReason;
use playhouse_protocol::completion::StopReason::{ContentFilter, Length, Stop};
use playhouse_protocol::riddle::AnswerMatch::{self, Any, Word};
use playhouse_protocol::riddle::Verdict::{self, Empty, Refused, Right, Truncated, Wrong};

use super::NUMBER;

type Case = (AnswerMatch, &'static [&'static str], &'static str, StopReason, Verdict);

const NINE: &[&str] = &["9"];
const YES: &[&str] = &["yes"];
const TOWEL: &[&str] = &["towel"];

pub(super) const CASES: &[Case] = &[
    (NUMBER, NINE, "", Stop, Empty),
    (NUMBER, NINE, " \n\n", Stop, Empty),
    (NUMBER, NINE, "…", Stop, Empty),
    (NUMBER, NINE, "🐑🐑🐑", Stop, Empty),
    (NUMBER, NINE, "", Length, Truncated),
    (NUMBER, NINE, "<think>Let me count the sheep", Length, Truncated),
    (NUMBER, NINE, "<think>Nine sheep.</think>", Stop, Empty),
    (NUMBER, NINE, "<think>It is 9. So the final answer: 9", Stop, Empty),
    (NUMBER, NINE, "", ContentFilter, Refused),
    (NUMBER, NINE, "9", ContentFilter, Refused),
    (NUMBER, NINE, "I'm sorry, but I can't help with that.", Stop, Refused),
    (NUMBER, NINE, "I’m sorry, but I cannot answer this question.", Stop, Refused),
    (NUMBER, NINE, "I am unable to answer riddles.", Stop, Refused),
    (NUMBER, NINE, "As an AI language model, I do not own sheep.", Stop, Refused),
    (NUMBER, NINE, "Sorry, I don't have enough information to answer that.", Stop, Refused),
    (NUMBER, NINE, "I don't know.", Stop, Refused),
    (NUMBER, NINE, "Final answer: I don't know", Stop, Refused),
    (NUMBER, NINE, "Final answer: N/A", Stop, Refused),
    (NUMBER, NINE, "I won't answer that.", Stop, Refused),
    (NUMBER, NINE, "I apologize, but I'm not able to solve this.", Stop, Refused),
    (NUMBER, NINE, "Unfortunately, I can't answer that.", Stop, Refused),
    (NUMBER, NINE, "I can't believe how easy this is. Final answer: 9", Stop, Right),
    (NUMBER, NINE, "I'm sorry, I misread it at first. Final answer: 9", Stop, Right),
    (NUMBER, NINE, "I'm not sure, but I think 9.", Stop, Right),
    (NUMBER, NINE, "The sheep cannot come back, so 9 are left.", Stop, Right),
    (NUMBER, NINE, "Let me think. There are 17 sheep, and all but 9", Length, Truncated),
    (NUMBER, NINE, "First, there are 17 sheep.\n\nSecond, 9", Length, Truncated),
    (NUMBER, NINE, "Final answer: 9", Length, Right),
    (NUMBER, NINE, "Final answer: 9\n\nThe reason is that all but", Length, Right),
    (NUMBER, NINE, "Final answer: 8\n\nThe reason is that all but", Length, Wrong),
    (NUMBER, NINE, "Final answer: 1", Length, Truncated),
    (NUMBER, NINE, "Final answer:", Length, Truncated),
    (NUMBER, NINE, "Final answer: 8\n\nWait, let me reconsider. The farmer has", Length, Truncated),
    (NUMBER, NINE, "9 sheep. 9 sheep. 9 sheep. 9 sheep. 9 sheep. 9 she", Length, Right),
    (NUMBER, NINE, "Final answer: 9\nFinal answer: 9\nFinal ans", Length, Right),
    (Word, YES, "I cannot help with that.", Stop, Refused),
    (Word, YES, "Answer: yes. For if", Length, Right),
    (Word, YES, "Final answer: ye", Length, Truncated),
    (Word, YES, "Yes.\n\nSome cats are grey, and everything grey here is", Length, Right),
    (Word, YES, "Let us see. If yes", Length, Truncated),
    (Word, YES, "The answer is", Length, Truncated),
    (Word, YES, "Final answer: <your answer, as short as it can be>", Stop, Wrong),
    (Any, TOWEL, "I can't assist with that request.", Stop, Refused),
    (Any, TOWEL, "Something that gets wet while drying is a tow", Length, Truncated),
    (Any, TOWEL, "A riddle! Think of what hangs in the bathroom: a towel.", Stop, Right),
    (Any, TOWEL, "towel towel towel towel towel towel", Stop, Right),
];
