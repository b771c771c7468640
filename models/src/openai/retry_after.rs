//! The server's hint when to come back.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use reqwest::header::{HeaderMap, RETRY_AFTER};

/// The longest hint that is believed: a day. Anything longer is a fault, and means "not today" all the same.
const HINT_MAX: Duration = Duration::from_secs(24 * 3600);

/// The time to wait, where the server says it. `now_ms` is the time of day, in milliseconds since 1970.
///
/// Source: RFC 9110, section 10.2.3 (seconds or a date); `retry-after-ms` is what OpenAI's and Azure's servers send
/// beside it, and stands above it for being finer. Fractions of seconds are taken too, since some servers send them.
pub(super) fn retry_after(headers: &HeaderMap, now_ms: u64) -> Option<Duration> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let from_ms = text("retry-after-ms").and_then(|text| number(text, 0.001));
    from_ms.or_else(|| {
        let text = text(RETRY_AFTER.as_str())?;
        number(text, 1.0).or_else(|| from_date(text, now_ms))
    })
}

fn number(text: &str, unit_seconds: f64) -> Option<Duration> {
    let value: f64 = text.parse().ok()?;
    if !value.is_finite() || value < 0.0 {
        return None;
    }
    Some(Duration::try_from_secs_f64(value * unit_seconds).unwrap_or(HINT_MAX).min(HINT_MAX))
}

/// The time until a date; zero when it is past.
fn from_date(text: &str, now_ms: u64) -> Option<Duration> {
    let date: SystemTime = httpdate::parse_http_date(text).ok()?;
    let date = date.duration_since(UNIX_EPOCH).unwrap_or_default();
    Some(date.saturating_sub(Duration::from_millis(now_ms)).min(HINT_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 1994-11-06 08:49:37 UTC, the date of RFC 9110's examples.
    const NOW_MS: u64 = 784_111_777_000;

    fn check(name: &'static str, value: &'static str, expected_ms: Option<u64>) {
        let headers = HeaderMap::from_iter([(name.parse().unwrap(), value.parse().unwrap())]);
        assert_eq!(retry_after(&headers, NOW_MS), expected_ms.map(Duration::from_millis), "{name}: {value}");
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
        for value in ["", "soon", "-1", "NaN", "inf"] {
            check("retry-after", value, None);
        }
        check("retry-after", "1e300", Some(24 * 3600 * 1000));
        check("retry-after", "Sat, 06 Nov 2094 08:49:47 GMT", Some(24 * 3600 * 1000));
    }

    #[test]
    fn milliseconds_stand_above_seconds() {
        let headers = HeaderMap::from_iter([
            ("retry-after".parse().unwrap(), "1".parse().unwrap()),
            ("retry-after-ms".parse().unwrap(), "250".parse().unwrap()),
        ]);
        assert_eq!(retry_after(&headers, NOW_MS), Some(Duration::from_millis(250)));
    }
}
