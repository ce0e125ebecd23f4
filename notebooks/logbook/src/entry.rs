//! A line of the log.

use std::error::Error;
use std::fmt;

/// A request, as the server wrote it down.
#[derive(Debug, Clone)]
pub struct Entry {
    pub date: String,
    /// Seconds since midnight.
    pub seconds: u32,
    pub address: String,
    pub session: String,
    pub method: String,
    pub path: String,
    pub status: u16,
    pub bytes: u64,
    pub micros: u64,
}

impl Entry {
    pub fn hour(&self) -> u32 {
        self.seconds / 3600
    }

    /// The path without what was asked of it: `/search` for `/search?q=red+mug`.
    pub fn page(&self) -> &str {
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
pub fn parse(log: &str) -> Result<Vec<Entry>, ParseError> {
    let mut entries = Vec::new();
    for (index, line) in log.lines().enumerate() {
        let entry = parse_line(line).map_err(|expected| ParseError { line: index + 1, expected })?;
        entries.push(entry);
    }
    Ok(entries)
}

/// The request of one line, or what was expected there.
pub fn parse_line(line: &str) -> Result<Entry, &'static str> {
    let fields: Vec<String> = line.split(' ').map(str::to_string).collect();
    if fields.len() != 8 {
        return Err("eight fields");
    }
    let (date, time) = fields[0].split_once('T').ok_or("a date and a time")?;
    Ok(Entry {
        date: date.to_string(),
        seconds: parse_time(time).ok_or("a time such as 09:26:53")?,
        address: fields[1].clone(),
        session: fields[2].clone(),
        method: fields[3].clone(),
        path: fields[4].clone(),
        status: fields[5].parse().map_err(|_| "a status")?,
        bytes: fields[6].parse().map_err(|_| "a number of bytes")?,
        micros: fields[7].parse().map_err(|_| "a number of microseconds")?,
    })
}

/// Seconds since midnight.
fn parse_time(time: &str) -> Option<u32> {
    let parts: Vec<u32> = time.split(':').map(str::parse).collect::<Result<_, _>>().ok()?;
    match parts[..] {
        [hour @ 0..24, minute @ 0..60, second @ 0..60] => Some(hour * 3600 + minute * 60 + second),
        _ => None,
    }
}
