//! A line of the log.

use std::error::Error;
use std::fmt;

/// A request, as the server wrote it down. The texts are slices of the log.
#[derive(Debug, Clone, Copy)]
pub struct Entry<'log> {
    pub date: &'log str,
    /// Seconds since midnight.
    pub seconds: u32,
    pub address: &'log str,
    pub session: &'log str,
    pub method: &'log str,
    pub path: &'log str,
    pub status: u16,
    pub bytes: u64,
    pub micros: u64,
}

impl<'log> Entry<'log> {
    pub fn hour(&self) -> u32 {
        self.seconds / 3600
    }

    /// The path without what was asked of it: `/search` for `/search?q=red+mug`.
    pub fn page(&self) -> &'log str {
        self.path.split('?').next().unwrap_or_default()
    }

    pub fn is_error(&self) -> bool {
        self.status >= 400
    }
}

/// Why a line of the log could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseError {
    /// Counted from 1.
    pub line: usize,
    /// What was expected there.
    pub expected: &'static str,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {} of the log: expected {}", self.line, self.expected)
    }
}

impl Error for ParseError {}

/// All requests of a log.
pub fn parse(log: &str) -> Result<Vec<Entry<'_>>, ParseError> {
    let mut entries = Vec::new();
    for (index, line) in log.lines().enumerate() {
        let entry = parse_line(line).map_err(|expected| ParseError { line: index + 1, expected })?;
        entries.push(entry);
    }
    Ok(entries)
}

/// The request of one line, or what was expected there.
pub fn parse_line(line: &str) -> Result<Entry<'_>, &'static str> {
    let [when, address, session, method, path, status, bytes, micros] =
        split(line, ' ').ok_or("eight fields")?;
    let (date, time) = when.split_once('T').ok_or("a date and a time")?;
    Ok(Entry {
        date,
        seconds: parse_time(time).ok_or("a time such as 09:26:53")?,
        address,
        session,
        method,
        path,
        status: status.parse().map_err(|_| "a status")?,
        bytes: bytes.parse().map_err(|_| "a number of bytes")?,
        micros: micros.parse().map_err(|_| "a number of microseconds")?,
    })
}

/// The parts of a text, if there are exactly as many as asked for.
fn split<const N: usize>(text: &str, separator: char) -> Option<[&str; N]> {
    let mut parts = text.split(separator);
    let mut found = [""; N];
    for part in &mut found {
        *part = parts.next()?;
    }
    parts.next().is_none().then_some(found)
}

/// Seconds since midnight.
fn parse_time(time: &str) -> Option<u32> {
    let [hour, minute, second] = split(time, ':')?;
    match (hour.parse().ok()?, minute.parse().ok()?, second.parse().ok()?) {
        (hour @ 0..24, minute @ 0..60, second @ 0..60) => Some(hour * 3600 + minute * 60 + second),
        _ => None,
    }
}
