//! A service with an agent of its own: it translates texts side by side with whatever model the settings select.
//!
//! ```text
//! cargo run --release -p playhouse-runtime --features local --example translator -- French "Good morning." "Thank you."
//! ```
//!
//! Asks the embedded model unless `playhouse.yaml` says otherwise; fetch it first: `playhouse models pull`.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "an example prints its results")]

use std::time::Duration;

use anyhow::{Context, Result};
use playhouse_runtime::config::{LoadArgs, load};
use playhouse_runtime::protocol::Failure;
use playhouse_runtime::protocol::completion::{ChatMessage, CompletionRequest};
use playhouse_runtime::protocol::task::TaskOptions;
use playhouse_runtime::{Agent, AgentContext, AgentError, Runtime};
use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, Deserialize)]
struct Translate {
    text: String,
    into: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct Translated {
    text: String,
    by: String,
}

struct Translator;

impl Agent for Translator {
    const KIND: &'static str = "translate";
    type Request = Translate;
    type Reply = Translated;

    fn validate(&self, request: &Translate) -> Result<(), Failure> {
        if request.text.trim().is_empty() {
            return Err(Failure::invalid("translate: the text is empty"));
        }
        Ok(())
    }

    async fn run(&self, ctx: &mut AgentContext, request: Translate) -> Result<Translated, AgentError> {
        let question = CompletionRequest {
            messages: [
                ChatMessage::system(format!(
                    "Translate into {}. Answer with the translation only.",
                    request.into
                )),
                ChatMessage::user(request.text),
            ]
            .into(),
            completion_tokens_max: Some(200),
            ..CompletionRequest::default()
        };
        let answer = ctx.complete(question).await?;
        Ok(Translated { text: answer.text.trim().to_owned(), by: answer.origin.model })
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    let mut args = std::env::args().skip(1);
    let into = args.next().context("name a language and one or more texts")?;
    let texts: Vec<_> = args.map(|text| Translate { text, into: into.clone() }).collect();

    let settings = load(&LoadArgs::process(None))?;
    let runtime = Runtime::builder().config(settings.config).agent(Translator).start().await?;
    let limit = TaskOptions { timeout_ms: Some(120_000), ..TaskOptions::default() };
    for outcome in runtime.map::<Translator>(texts).width(4).options(limit).run().await? {
        match outcome {
            Ok(translated) => println!("{} ({})", translated.text, translated.by),
            Err(failure) => eprintln!("failed to {failure}"),
        }
    }
    runtime.shutdown(Duration::from_secs(5)).await;
    Ok(())
}
