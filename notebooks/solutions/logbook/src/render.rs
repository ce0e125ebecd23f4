//! The report as people read it, and as a spreadsheet does.

use std::fmt;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use crate::report::Report;

impl Report {
    /// The report as text.
    pub fn text(&self) -> String {
        self.to_string()
    }

    /// Writes the sessions to a file, a line each, with commas between the fields.
    pub fn save_sessions(&self, path: impl AsRef<Path>) -> io::Result<()> {
        let mut file = BufWriter::new(File::create(path)?);
        writeln!(file, "start,end,requests,region")?;
        for session in &self.sessions {
            let (start, end) = (Clock(session.start), Clock(session.end));
            writeln!(file, "{start},{end},{},{}", session.requests, session.region)?;
        }
        // What is left in the buffer may fail, too, and a drop could not say so.
        file.flush()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Logbook of {}\n", self.date)?;
        writeln!(f, "{:>10}  requests", Grouped(self.requests as u64))?;
        writeln!(f, "{:>10}  visitors", Grouped(self.visitors as u64))?;
        writeln!(f, "{:>10}  sessions", Grouped(self.sessions.len() as u64))?;
        writeln!(f, "{:>10}  errors", Grouped(self.errors as u64))?;

        writeln!(f, "\nResponse times\n")?;
        for percentile in &self.percentiles {
            writeln!(f, "{:>8} %  {}", percentile.percent, Millis(percentile.micros))?;
        }

        writeln!(f, "\nTop pages\n")?;
        for page in &self.pages {
            let (requests, within) = (Grouped(page.requests as u64), Millis(page.micros));
            writeln!(f, "{requests:>10}  {} (95 % within {within})", page.path)?;
        }

        writeln!(f, "\nBy hour: requests, errors, kB\n")?;
        for hour in &self.hours {
            let (requests, errors) = (Grouped(hour.requests as u64), Grouped(hour.errors as u64));
            writeln!(f, "{:>7}:00{requests:>8}{errors:>6}{:>10}", hour.hour, Grouped(hour.bytes / 1000))?;
        }
        if let Some(busiest) = &self.busiest {
            let (requests, kilobytes) = (Grouped(busiest.requests as u64), Grouped(busiest.bytes / 1000));
            write!(f, "\n  Busiest from {} to {}", Clock(busiest.start), Clock(busiest.end))?;
            writeln!(f, ": {requests} requests, {kilobytes} kB")?;
        }

        writeln!(f, "\nWhere from\n")?;
        for (region, requests) in &self.regions {
            writeln!(f, "{:>10}  {region}", Grouped(*requests as u64))?;
        }

        writeln!(f, "\nSlowest requests\n")?;
        for request in &self.slowest {
            write!(f, "  {}  {} {}", Clock(request.seconds), request.method, request.path)?;
            writeln!(f, ": {}, {}", request.status, Millis(request.micros))?;
        }

        writeln!(f, "\nSessions\n")?;
        for session in &self.sessions {
            let (start, end) = (Clock(session.start), Clock(session.end));
            writeln!(f, "  {start} to {end}{:>6}  {}", session.requests, session.region)?;
        }
        Ok(())
    }
}

/// `12,345` for 12345.
struct Grouped(u64);

impl fmt::Display for Grouped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&grouped(self.0))
    }
}

fn grouped(number: u64) -> String {
    if number < 1000 {
        return number.to_string();
    }
    format!("{},{:03}", grouped(number / 1000), number % 1000)
}

/// `1,234.5 ms` for 1234500.
struct Millis(u64);

impl fmt::Display for Millis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tenths = (self.0 + 50) / 100;
        write!(f, "{}.{} ms", Grouped(tenths / 10), tenths % 10)
    }
}

/// `09:26:53` for the second of the day.
struct Clock(u32);

impl fmt::Display for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}:{:02}", self.0 / 3600, self.0 / 60 % 60, self.0 % 60)
    }
}
