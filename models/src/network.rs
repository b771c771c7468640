//! What every HTTP client of this crate has in common.

use std::error::Error;
use std::net::IpAddr;

use reqwest::Url;

/// How this program names itself to servers.
pub(crate) const USER_AGENT: &str = concat!("playhouse/", env!("CARGO_PKG_VERSION"));

/// Whether an address leads to this machine, which is never behind a proxy.
pub(crate) fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

/// The innermost cause, which names what really happened ("Connection refused"); the outer ones repeat the URL.
pub(crate) fn root_cause(error: &(dyn Error + 'static)) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_this_machine_are_loopback() {
        let check = |url: &str| is_loopback(&Url::parse(url).unwrap());
        assert!(
            ["http://127.0.0.1:1/x", "http://127.9.9.9", "http://[::1]:1", "http://localhost"]
                .into_iter()
                .all(check)
        );
        assert!(!["http://10.0.0.1", "http://localhost.example", "https://host"].into_iter().any(check));
    }
}
