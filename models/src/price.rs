//! What a call costs.

use playhouse_config::settings::PriceConfig;
use playhouse_protocol::Usage;

/// The price of `usage`, in billionths of a US dollar. Tokens from a prompt cache count in full: providers give
/// different discounts, and a budget must not be held too lightly.
pub fn cost_nano_usd(price: PriceConfig, usage: &Usage) -> u64 {
    let prompt = price.prompt_nano_usd_per_token.saturating_mul(usage.prompt_tokens);
    let completion = price.completion_nano_usd_per_token.saturating_mul(usage.completion_tokens);
    prompt.saturating_add(completion)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prompt_and_answer_are_priced_by_the_token() {
        let price = PriceConfig { prompt_nano_usd_per_token: 150, completion_nano_usd_per_token: 600 };
        let usage = Usage { prompt_tokens: 1_000, completion_tokens: 10, ..Usage::default() };
        assert_eq!(cost_nano_usd(price, &usage), 156_000);
    }

    #[test]
    fn no_price_costs_nothing_and_a_huge_one_does_not_wrap() {
        let usage = Usage { prompt_tokens: u64::MAX, completion_tokens: 3, ..Usage::default() };
        assert_eq!(cost_nano_usd(PriceConfig::default(), &usage), 0);
        let price = PriceConfig { prompt_nano_usd_per_token: 2, completion_nano_usd_per_token: 1 };
        assert_eq!(cost_nano_usd(price, &usage), u64::MAX);
    }
}
