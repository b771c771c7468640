//! The server's hint when to come back.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use reqwest::StatusCode;
use reqwest::header::{HeaderMap, RETRY_AFTER};

/// The longest hint that is believed: a day. Anything longer is a fault, and means "not today" all the same.
const HINT_MAX: Duration = Duration::from_secs(24 * 3600);

/// A plain number above this is a date in seconds since 1970 (September 2001), not a time to wait: 30 years.
const DATE_SECONDS_MIN: f64 = 1e9;

/// A plain number above this is a date in milliseconds since 1970.
const DATE_MS_MIN: f64 = 1e12;

/// The limits of which servers tell what remains and when they are full again: the names of both headers.
const LIMITS: [(&str, &str); 8] = [
    ("x-ratelimit-remaining-requests", "x-ratelimit-reset-requests"),
    ("x-ratelimit-remaining-tokens", "x-ratelimit-reset-tokens"),
    ("x-ratelimit-remaining", "x-ratelimit-reset"),
    ("ratelimit-remaining", "ratelimit-reset"),
    ("anthropic-ratelimit-requests-remaining", "anthropic-ratelimit-requests-reset"),
    ("anthropic-ratelimit-tokens-remaining", "anthropic-ratelimit-tokens-reset"),
    ("anthropic-ratelimit-input-tokens-remaining", "anthropic-ratelimit-input-tokens-reset"),
    ("anthropic-ratelimit-output-tokens-remaining", "anthropic-ratelimit-output-tokens-reset"),
];

/// The time to wait, where the server says it. `now_ms` is the time of day, in milliseconds since 1970.
///
/// `Retry-After` is the server's own answer to the question when to come back. Where it does not give one, the resets of
/// its limits are what is known: the longest of them. They are when a limit is full again, which may be long after the
/// moment at which it has room for one more request.
///
/// What remains of limits counts only where the request was refused for one (429), or nobody was there to answer it
/// (503): on any other failure it says nothing about when to come back.
pub(super) fn retry_hint(status: StatusCode, headers: &HeaderMap, now_ms: u64) -> Option<Duration> {
    let refused = matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE);
    retry_after(headers, now_ms).or_else(|| if refused { limits_reset(headers, now_ms) } else { None })
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim)
}

/// Source: RFC 9110, section 10.2.3 (seconds or a date); `retry-after-ms` is what OpenAI's and Azure's servers send
/// beside it, and stands above it for being finer. Fractions of seconds are taken too, since some servers send them.
fn retry_after(headers: &HeaderMap, now_ms: u64) -> Option<Duration> {
    let from_ms = text(headers, "retry-after-ms").and_then(|text| number(text, 0.001));
    let hint = from_ms.or_else(|| {
        let text = text(headers, RETRY_AFTER.as_str())?;
        number(text, 1.0).or_else(|| from_date(text, now_ms))
    });
    hint.map(|hint| hint.min(HINT_MAX))
}

/// When the exhausted limits are full again. Where the server does not say of any what remains, each of them may be
/// the one; a limit of which it says that something remains is not.
fn limits_reset(headers: &HeaderMap, now_ms: u64) -> Option<Duration> {
    let remaining = |name| text(headers, name).and_then(|text| text.parse::<f64>().ok());
    let mut exhausted = None;
    let mut untold = None;
    for (remaining_name, reset_name) in LIMITS {
        let Some(reset) = text(headers, reset_name).and_then(|text| reset_time(text, now_ms)) else {
            continue;
        };
        match remaining(remaining_name) {
            Some(left) if left <= 0.0 => exhausted = exhausted.max(Some(reset)),
            Some(_) => {}
            None => untold = untold.max(Some(reset)),
        }
    }
    exhausted.or(untold)
}

/// The time until a limit is full again, as servers write it: a duration (`1m30s`, `250ms`), seconds, a date in
/// seconds or milliseconds since 1970, or a date as RFC 3339 or HTTP have it.
fn reset_time(text: &str, now_ms: u64) -> Option<Duration> {
    if let Ok(value) = text.parse::<f64>() {
        if value > DATE_SECONDS_MIN && value.is_finite() {
            let date = number(text, if value > DATE_MS_MIN { 0.001 } else { 1.0 })?;
            return Some(until(date, now_ms));
        }
        return Some(number(text, 1.0)?.min(HINT_MAX));
    }
    duration(text)
        .or_else(|| rfc_3339(text).map(|date| until(date, now_ms)))
        .or_else(|| from_date(text, now_ms))
}

/// A number of units. Not bounded above when it is a date; a time to wait is bounded where it is used.
fn number(text: &str, unit_seconds: f64) -> Option<Duration> {
    let value: f64 = text.parse().ok()?;
    if !value.is_finite() || value < 0.0 {
        return None;
    }
    Some(Duration::try_from_secs_f64(value * unit_seconds).unwrap_or(HINT_MAX))
}

/// The time until a date; zero when it is past.
fn from_date(text: &str, now_ms: u64) -> Option<Duration> {
    let date: SystemTime = httpdate::parse_http_date(text).ok()?;
    Some(until(date.duration_since(UNIX_EPOCH).unwrap_or_default(), now_ms))
}

/// The time until a date since 1970; zero when it is past.
fn until(date: Duration, now_ms: u64) -> Duration {
    date.saturating_sub(Duration::from_millis(now_ms)).min(HINT_MAX)
}

/// A duration of numbers with units, the largest first: `1h2m3.5s`, `250ms`.
///
/// Source: the form of Go's `time.Duration`, in which OpenAI's servers write it.
fn duration(text: &str) -> Option<Duration> {
    let mut seconds = 0.0;
    let mut rest = text;
    while !rest.is_empty() {
        let number_len = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let value: f64 = rest[..number_len].parse().ok()?;
        rest = &rest[number_len..];
        let unit_len = rest.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(rest.len());
        seconds += value * unit_seconds(&rest[..unit_len])?;
        rest = &rest[unit_len..];
    }
    let wait = Duration::try_from_secs_f64(seconds).unwrap_or(HINT_MAX).min(HINT_MAX);
    (!text.is_empty()).then_some(wait)
}

fn unit_seconds(unit: &str) -> Option<f64> {
    match unit {
        "d" => Some(24.0 * 3600.0),
        "h" => Some(3600.0),
        "m" => Some(60.0),
        "s" => Some(1.0),
        "ms" => Some(1e-3),
        "us" | "µs" => Some(1e-6),
        "ns" => Some(1e-9),
        _ => None,
    }
}

/// The time since 1970 of a date such as `2026-05-04T12:34:56.5Z` or `…+02:00`.
///
/// Source: RFC 3339, section 5.6, without leap seconds; the day's number as in Howard Hinnant's
/// "chrono-Compatible Low-Level Date Algorithms" (`days_from_civil`).
fn rfc_3339(text: &str) -> Option<Duration> {
    let (date, time) = text.split_once(['T', 't', ' '])?;
    let zone_begin = time.find(['Z', 'z', '+', '-'])?;
    let (time, zone) = time.split_at(zone_begin);
    let [year, month, day] = numbers(date, '-')?;
    let (clock, fraction) = time.split_once('.').unwrap_or((time, ""));
    let [hour, minute, second] = numbers(clock, ':')?;
    let offset_minutes = match zone {
        "Z" | "z" => 0,
        _ => {
            let (hours, minutes) = zone[1..].split_once(':')?;
            let minutes = hours.parse::<i64>().ok()? * 60 + minutes.parse::<i64>().ok()?;
            if zone.starts_with('-') { -minutes } else { minutes }
        }
    };
    let fits = (1970..=9999).contains(&year)
        && (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && hour < 24
        && minute < 60
        && second <= 60;
    if !fits {
        return None;
    }
    let year = if month <= 2 { year - 1 } else { year };
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = 365 * year + year / 4 - year / 100 + year / 400 + day_of_year - 719_468;
    let seconds = days * 86_400 + (hour * 60 + minute - offset_minutes) * 60 + second;
    let fraction: f64 = format!("0.{fraction}0").parse().ok()?;
    Some(Duration::from_secs(u64::try_from(seconds).ok()?) + Duration::from_secs_f64(fraction))
}

fn numbers(text: &str, separator: char) -> Option<[i64; 3]> {
    let mut numbers = text.split(separator).map(|number| number.parse::<u16>().map(i64::from));
    let all = [numbers.next()?.ok()?, numbers.next()?.ok()?, numbers.next()?.ok()?];
    numbers.next().is_none().then_some(all)
}

#[cfg(test)]
mod tests;
