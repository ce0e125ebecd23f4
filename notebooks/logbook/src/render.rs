//! The report as people read it, and as a spreadsheet does.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use crate::report::Report;

impl Report {
    /// The report as text.
    pub fn text(&self) -> String {
        let mut text = format!("Logbook of {}\n\n", self.date);
        text = format!("{text}{:>10}  requests\n", grouped(self.requests as u64));
        text = format!("{text}{:>10}  visitors\n", grouped(self.visitors as u64));
        text = format!("{text}{:>10}  sessions\n", grouped(self.sessions.len() as u64));
        text = format!("{text}{:>10}  errors\n", grouped(self.errors as u64));

        text = format!("{text}\nResponse times\n\n");
        for percentile in &self.percentiles {
            text = format!("{text}{:>8} %  {}\n", percentile.percent, millis(percentile.micros));
        }

        text = format!("{text}\nTop pages\n\n");
        for page in &self.pages {
            text = format!("{text}{:>10}  {}", grouped(page.requests as u64), page.path);
            text = format!("{text} (95 % within {})\n", millis(page.micros));
        }

        text = format!("{text}\nBy hour: requests, errors, kB\n\n");
        for hour in &self.hours {
            text = format!("{text}{:>7}:00", hour.hour);
            text = format!("{text}{:>8}", grouped(hour.requests as u64));
            text = format!("{text}{:>6}", grouped(hour.errors as u64));
            text = format!("{text}{:>10}\n", grouped(hour.bytes / 1000));
        }
        if let Some(busiest) = &self.busiest {
            text = format!("{text}\n  Busiest from {} to {}", clock(busiest.start), clock(busiest.end));
            text = format!("{text}: {} requests", grouped(busiest.requests as u64));
            text = format!("{text}, {} kB\n", grouped(busiest.bytes / 1000));
        }

        text = format!("{text}\nWhere from\n\n");
        for (region, requests) in &self.regions {
            text = format!("{text}{:>10}  {region}\n", grouped(*requests as u64));
        }

        text = format!("{text}\nSlowest requests\n\n");
        for request in &self.slowest {
            text = format!("{text}  {}  {} {}", clock(request.seconds), request.method, request.path);
            text = format!("{text}: {}, {}\n", request.status, millis(request.micros));
        }

        text = format!("{text}\nSessions\n\n");
        for session in &self.sessions {
            text = format!("{text}  {} to {}", clock(session.start), clock(session.end));
            text = format!("{text}{:>6}  {}\n", session.requests, session.region);
        }
        text
    }

    /// Writes the sessions to a file, a line each, with commas between the fields.
    pub fn save_sessions(&self, path: impl AsRef<Path>) -> io::Result<()> {
        let mut file = File::create(path)?;
        writeln!(file, "start,end,requests,region")?;
        for session in &self.sessions {
            let (start, end) = (clock(session.start), clock(session.end));
            writeln!(file, "{start},{end},{},{}", session.requests, session.region)?;
        }
        Ok(())
    }
}

/// `12,345` for 12345.
fn grouped(number: u64) -> String {
    if number < 1000 {
        return number.to_string();
    }
    format!("{},{:03}", grouped(number / 1000), number % 1000)
}

/// `1,234.5 ms` for 1234500.
fn millis(micros: u64) -> String {
    let tenths = (micros + 50) / 100;
    format!("{}.{} ms", grouped(tenths / 10), tenths % 10)
}

/// `09:26:53` for the second of the day.
fn clock(seconds: u32) -> String {
    format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}
