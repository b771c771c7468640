use proptest::prelude::*;

use super::*;
use crate::testing::NOW_MS;

fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
    pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
}

fn hint_ms(status: u16, pairs: &[(&str, &str)]) -> Option<u128> {
    let hint = retry_hint(StatusCode::from_u16(status).unwrap(), &headers(pairs), NOW_MS);
    hint.map(|hint| hint.as_millis())
}

fn check(name: &str, value: &str, expected_ms: Option<u128>) {
    assert_eq!(hint_ms(429, &[(name, value)]), expected_ms, "{name}: {value}");
}

#[test]
fn seconds_dates_and_milliseconds_are_understood() {
    check("retry-after", "7", Some(7_000));
    check("retry-after", "1.5", Some(1_500));
    check("retry-after", "0", Some(0));
    check("retry-after", "Sun, 06 Nov 1994 08:49:47 GMT", Some(10_000));
    check("retry-after", "Sunday, 06-Nov-94 08:49:47 GMT", Some(10_000));
    check("retry-after", "Sun Nov  6 08:49:47 1994", Some(10_000));
    check("retry-after", "Sun, 06 Nov 1994 08:49:27 GMT", Some(0));
    check("retry-after-ms", "250", Some(250));
}

#[test]
fn nonsense_is_no_hint_and_a_huge_one_is_a_day() {
    for value in
        ["", "soon", "-1", "NaN", "inf", "1x", "m", ".", "2026-13-01T00:00:00Z", "2026-01-01T00:00:00"]
    {
        check("retry-after", value, None);
        check("x-ratelimit-reset-tokens", value, None);
    }
    let day = Some(24 * 3600 * 1000);
    check("retry-after", "1e300", day);
    check("retry-after", "100000", day);
    check("retry-after", "Sat, 06 Nov 2094 08:49:47 GMT", day);
    check("x-ratelimit-reset-tokens", "999h", day);
    check("x-ratelimit-reset-tokens", "2094-11-06T08:49:47Z", day);
}

#[test]
fn milliseconds_stand_above_seconds() {
    assert_eq!(hint_ms(429, &[("retry-after", "1"), ("retry-after-ms", "250")]), Some(250));
}

#[test]
fn the_reset_of_a_limit_is_understood_however_it_is_written() {
    for (value, expected_ms) in [
        ("1m30s", 90_000),
        ("250ms", 250),
        ("6m0s", 360_000),
        ("1h2m3.5s", 3_723_500),
        ("12", 12_000),
        ("0.5", 500),
        ("2026", 2_026_000),
        ("1994-11-06T08:49:47Z", 10_000),
        ("1994-11-06T08:49:47.25Z", 10_250),
        ("1994-11-06T10:49:47+02:00", 10_000),
        ("1994-11-06T00:49:47-08:00", 10_000),
        ("1994-11-06T08:49:00Z", 0),
        ("Sun, 06 Nov 1994 08:49:47 GMT", 10_000),
    ] {
        check("x-ratelimit-reset-requests", value, Some(expected_ms));
        check("anthropic-ratelimit-input-tokens-reset", value, Some(expected_ms));
    }
}

#[test]
fn a_date_in_seconds_or_milliseconds_is_told_from_a_time_to_wait() {
    let now_ms = 1_764_000_000_000;
    let wait = |text| reset_time(text, now_ms).unwrap().as_millis();
    assert_eq!((wait("1764000010"), wait("1764000010500"), wait("1763999999")), (10_000, 10_500, 0));
    // 29 February of a leap year, and the first of March after it.
    let date = |text| rfc_3339(text).unwrap().as_secs();
    assert_eq!(date("1970-01-01T00:00:00Z"), 0);
    assert_eq!((date("2024-02-29T00:00:00Z"), date("2024-03-01T00:00:00Z")), (1_709_164_800, 1_709_251_200));
}

#[test]
fn only_an_exhausted_limit_counts_where_the_server_says_what_remains() {
    let requests = [("x-ratelimit-remaining-requests", "12"), ("x-ratelimit-reset-requests", "6m0s")];
    let tokens = [("x-ratelimit-remaining-tokens", "0"), ("x-ratelimit-reset-tokens", "1s")];
    let both = [requests, tokens].concat();
    assert_eq!(hint_ms(429, &both), Some(1_000));
    assert_eq!(hint_ms(503, &both), Some(1_000));
    assert_eq!(hint_ms(429, &requests), None);
    // On other failures limits say nothing.
    assert_eq!(hint_ms(500, &both), None);
    assert_eq!(hint_ms(500, &[("retry-after", "3")]), Some(3_000));
}

#[test]
fn the_longest_reset_counts_and_only_where_the_server_says_no_time_itself() {
    let reset = ("x-ratelimit-reset-tokens", "30s");
    assert_eq!(hint_ms(429, &[reset, ("retry-after", "1")]), Some(1_000));
    assert_eq!(hint_ms(429, &[reset, ("retry-after", "soon")]), Some(30_000));
    assert_eq!(hint_ms(429, &[reset, ("retry-after", "60")]), Some(60_000));
    assert_eq!(hint_ms(429, &[reset, ("x-ratelimit-reset-requests", "40s")]), Some(40_000));
}

proptest! {
    #[test]
    fn any_text_never_panics_and_is_at_most_a_day(text in "\\PC{0,30}", digits in "[0-9:TZ.+-]{0,30}") {
        for text in [text, digits] {
            if let Some(wait) = reset_time(&text, NOW_MS) {
                prop_assert!(wait <= HINT_MAX);
            }
        }
    }
}
