//! What a run of characters is, by its form.

use std::ops::Range;

use playhouse_protocol::compress::FactKind;

/// Units that follow a number as a word of their own. Units that are joined to it (`5ms`, `50%`) need no list.
const UNITS: [&str; 74] = [
    "%", "A", "B", "C", "F", "GB", "GHz", "GiB", "Hz", "J", "K", "KB", "KiB", "MB", "MHz", "MPa", "Mbit/s",
    "MiB", "N", "Pa", "TB", "TiB", "USD", "EUR", "V", "W", "bar", "bytes", "cm", "days", "dB", "g", "h",
    "hours", "hPa", "kB", "kHz", "kPa", "kW", "kWh", "kg", "km", "km/h", "l", "litres", "lines", "m", "m/s",
    "mA", "mV", "mW", "mg", "miles", "min", "minutes", "ml", "mm", "months", "ms", "nm", "ns", "percent",
    "requests", "s", "seconds", "steps", "tokens", "tons", "weeks", "years", "°C", "°F", "µm", "µs",
];

const MONTHS: [&str; 23] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
    "Jan",
    "Feb",
    "Mar",
    "Apr",
    "Jun",
    "Jul",
    "Aug",
    "Sep",
    "Oct",
    "Nov",
    "Dec",
];

/// Endings of file names that are taken for one without a folder.
const ENDINGS: [&str; 39] = [
    "bin", "c", "cfg", "conf", "cpp", "css", "csv", "db", "env", "exe", "gguf", "go", "gz", "h", "hpp",
    "html", "ini", "java", "jpg", "js", "json", "jsonl", "lock", "log", "md", "pdf", "png", "proto", "py",
    "rs", "sh", "sql", "tar", "toml", "ts", "txt", "xml", "yaml", "yml",
];

/// The longest unit that is joined to its number, in bytes.
const JOINED_UNIT_BYTES_MAX: usize = 8;

pub(super) fn is_unit(word: &str) -> bool {
    UNITS.contains(&word)
}

pub(super) fn is_month(word: &str) -> bool {
    MONTHS.contains(&word)
}

/// The address in a run, as a place in it.
pub(super) fn url(run: &str) -> Option<Range<usize>> {
    let begin = match run.find("://") {
        Some(colon) => {
            let scheme = run[..colon].bytes().rev().take_while(u8::is_ascii_alphanumeric).count();
            if scheme < 2 {
                return None;
            }
            colon - scheme
        }
        None => run.find("www.")?,
    };
    let mut rest = &run[begin..];
    // Marks that end an address in prose and in Markdown.
    if let Some(end) = rest.find(['"', '<', '>', '`', '|', '”', '’']) {
        rest = &rest[..end];
    }
    if !rest.contains('(')
        && let Some(end) = rest.find(')')
    {
        rest = &rest[..end];
    }
    let rest = rest.trim_end_matches(['.', ',', ';', ':', '!', '?', '\'', ']', '}', '*']);
    let rest =
        if rest.contains('(') && rest.ends_with(')') && rest.matches(')').count() > rest.matches('(').count()
        {
            &rest[..rest.len() - 1]
        } else {
            rest
        };
    (rest.len() > 7).then(|| begin..begin + rest.len())
}

/// What a core is, where it is something as a whole.
pub(super) fn classify(core: &str) -> Option<FactKind> {
    if core.len() < 2 && !core.starts_with(|first: char| first.is_ascii_digit()) {
        return None;
    }
    if is_path(core) {
        return Some(FactKind::Path);
    }
    if let Some(kind) = number(core) {
        return Some(kind);
    }
    is_identifier(core).then_some(FactKind::Identifier)
}

fn is_path(core: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-~@+\\".contains(&byte);
    let drive = core.as_bytes().get(1..3) == Some(b":\\");
    let body = if drive { &core[2..] } else { core };
    if !body.bytes().all(|byte| plain(byte) || byte >= 0x80)
        || !core.bytes().any(|byte| byte.is_ascii_alphabetic())
    {
        return false;
    }
    let slashes = body.bytes().filter(|byte| matches!(byte, b'/' | b'\\')).count();
    let name = body.rsplit(['/', '\\']).next().unwrap_or(body);
    let ending = name.rsplit_once('.').filter(|(stem, _)| !stem.is_empty()).map(|(_, ending)| ending);
    if slashes == 0 {
        return name.len() > 3 && ending.is_some_and(|ending| ENDINGS.contains(&ending));
    }
    let rooted = ["/", "./", "../", "~/", "\\\\"].iter().any(|root| body.starts_with(root));
    let has_ending = ending
        .is_some_and(|ending| ending.len() <= 6 && ending.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    drive
        || (rooted && body.len() > 3 && !body.starts_with("//"))
        || has_ending
        || (slashes >= 2 && !body.contains("//"))
}

/// A number, a version or a day.
fn number(core: &str) -> Option<FactKind> {
    let unsigned = core.trim_start_matches(['+', '-', '−', '$', '€', '£', '#', '~', '±', '≈']);
    let digits = unsigned.strip_prefix('v').unwrap_or(unsigned);
    if !digits.starts_with(|first: char| first.is_ascii_digit()) {
        return None;
    }
    let inside = |char: char| char.is_ascii_digit() || ".,:_-–×/".contains(char);
    let len = digits.find(|char| !inside(char)).unwrap_or(digits.len());
    let (value, unit) = digits.split_at(len);
    let unit_is_plain = unit.len() <= JOINED_UNIT_BYTES_MAX
        && unit.chars().all(|char| char.is_alphanumeric() || "%°/µ²³".contains(char));
    if !unit_is_plain {
        return None;
    }
    let parts: Vec<_> = value.split(['-', '/']).collect();
    let all_digits =
        parts.iter().all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()));
    let is_date = parts.len() == 3 && all_digits && (parts[0].len() == 4 || parts[2].len() == 4);
    let has_time = unit.starts_with('T');
    if is_date && (unit.is_empty() || has_time) {
        return Some(FactKind::Date);
    }
    // A digit alone says little and is everywhere.
    (core.len() > 1).then_some(FactKind::Number)
}

/// A name in code: `snake_case`, `CamelCase`, `a::b`, `f()`, `--flag`.
pub(super) fn is_identifier(core: &str) -> bool {
    let name = core.strip_prefix("--").unwrap_or(core);
    let is_flag = name.len() < core.len() && name.len() > 1;
    let name = name.strip_suffix("()").unwrap_or(name);
    let is_call = name.len() + 2 == core.len();
    let plain = |char: char| char.is_alphanumeric() || char == '_' || char == ':' || (is_flag && char == '-');
    if name.len() < 2 || !name.chars().all(plain) || name.starts_with(|first: char| first.is_ascii_digit()) {
        return false;
    }
    is_flag || is_call || name.contains("::") || has_inner_underscore(name) || has_hump(name)
}

fn has_inner_underscore(name: &str) -> bool {
    let name = name.trim_matches('_');
    name.contains('_') && name.bytes().any(|byte| byte.is_ascii_alphabetic())
}

/// A capital behind a small letter.
fn has_hump(name: &str) -> bool {
    let bytes = name.as_bytes();
    bytes.windows(2).any(|pair| pair[0].is_ascii_lowercase() && pair[1].is_ascii_uppercase())
}

/// Words that turn a sentence round.
pub(super) fn is_negation(word: &str) -> bool {
    const NEGATIONS: [&str; 9] =
        ["not", "never", "no", "cannot", "none", "neither", "nor", "without", "unless"];
    NEGATIONS.iter().any(|known| word.eq_ignore_ascii_case(known))
        || word.ends_with("n't")
        || word.ends_with("n’t")
}
