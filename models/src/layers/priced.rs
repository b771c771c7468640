//! Fills in what an answer cost.

use std::sync::Arc;

use futures::StreamExt;
use futures::future::BoxFuture;
use playhouse_config::settings::PriceConfig;
use playhouse_protocol::completion::{Completion, CompletionRequest};

use crate::client::{CompletionEvent, CompletionStream, ModelClient, ModelInfo};
use crate::error::ModelError;
use crate::price::cost_nano_usd;
use crate::tokens::TokenCounter;

/// A model whose answers carry their price.
#[derive(Debug)]
pub struct Priced {
    inner: Arc<dyn ModelClient>,
    price: PriceConfig,
}

impl Priced {
    /// Puts prices on the answers of `inner`.
    pub fn new(inner: Arc<dyn ModelClient>, price: PriceConfig) -> Self {
        Self { inner, price }
    }
}

fn priced(mut completion: Completion, price: PriceConfig) -> Completion {
    completion.usage.cost_nano_usd = cost_nano_usd(price, &completion.usage);
    completion
}

impl ModelClient for Priced {
    fn info(&self) -> &ModelInfo {
        self.inner.info()
    }

    fn stream(&self, request: CompletionRequest) -> CompletionStream {
        let price = self.price;
        let events = self.inner.stream(request).map(move |event| match event {
            Ok(CompletionEvent::Finished(completion)) => {
                Ok(CompletionEvent::Finished(priced(completion, price)))
            }
            other => other,
        });
        events.boxed()
    }

    fn complete(&self, request: CompletionRequest) -> BoxFuture<'_, Result<Completion, ModelError>> {
        Box::pin(async move { Ok(priced(self.inner.complete(request).await?, self.price)) })
    }

    fn ping(&self) -> BoxFuture<'_, Result<(), ModelError>> {
        self.inner.ping()
    }

    fn tokens(&self) -> Arc<dyn TokenCounter> {
        self.inner.tokens()
    }
}

#[cfg(test)]
mod tests {
    use futures::TryStreamExt;

    use super::*;
    use crate::testing::{FakeModel, Step, hello};

    #[tokio::test]
    async fn plain_and_streamed_answers_carry_the_same_price() {
        let price = PriceConfig { prompt_nano_usd_per_token: 3, completion_nano_usd_per_token: 5 };
        let model = Priced::new(FakeModel::new([Step::Answer("a"), Step::Answer("a")]), price);
        let plain = model.complete(hello()).await.unwrap();
        let events: Vec<_> = model.stream(hello()).try_collect().await.unwrap();
        assert_eq!(plain.usage.cost_nano_usd, 10 * 3 + 2 * 5);
        assert_eq!(events.last(), Some(&CompletionEvent::Finished(plain)));
    }
}
