//! Ranges of the history as IPython writes them: `4`, `4-6`, `2/1-3`, `~1/`, `~8/1-~6/5`.

use crate::plan::HistoryRange;

/// A range over sessions becomes a list with one entry for each: a slip of the keyboard must not fill the memory.
const MOST_SESSIONS: i64 = 10_000;

/// The ranges that `text` names, or what is wrong with it.
pub(crate) fn parse(text: &str) -> Result<Vec<HistoryRange>, String> {
    let (first, last) = text.split_once('-').map_or((text, None), |(first, last)| (first, Some(last)));
    let first = End::parse(first)?;
    let Some(last) = last else {
        return Ok(vec![first.alone()]);
    };
    let last = End::parse(last)?;
    let Some(last_session) = last.session else {
        return within(first.session.unwrap_or_default(), first.line, last.line, text);
    };
    across(first, last_session, last.line, text)
}

/// `session/line`, either of which may be missing.
#[derive(Clone, Copy)]
struct End {
    session: Option<i64>,
    line: Option<i64>,
}

impl End {
    fn parse(text: &str) -> Result<Self, String> {
        let (session, line) =
            text.split_once('/').map_or((None, text), |(session, line)| (Some(session), line));
        let session = session.map(session_number).transpose()?;
        let line = if line.is_empty() { None } else { Some(positive(line)?) };
        if session.is_none() && line.is_none() {
            return Err("a range is written 4, 4-6, 2/1-3 or ~1/".to_owned());
        }
        Ok(Self { session, line })
    }

    /// One line, or with none all of its session.
    fn alone(self) -> HistoryRange {
        let session = self.session.unwrap_or_default();
        match self.line {
            Some(line) => HistoryRange { session, start: line, stop: Some(line + 1) },
            None => HistoryRange { session, start: 1, stop: None },
        }
    }
}

fn within(
    session: i64,
    first: Option<i64>,
    last: Option<i64>,
    text: &str,
) -> Result<Vec<HistoryRange>, String> {
    let start = first.unwrap_or(1);
    match last {
        Some(last) if last < start => Err(format!("{text} ends before it begins")),
        last => Ok(vec![HistoryRange { session, start, stop: last.map(|line| line + 1) }]),
    }
}

/// From a line of one session to a line of a later one: the end of the first, all of those between, the start of the last.
fn across(first: End, last_session: i64, last: Option<i64>, text: &str) -> Result<Vec<HistoryRange>, String> {
    let session = first.session.unwrap_or_default();
    if session == last_session {
        return within(session, first.line, last, text);
    }
    if session > last_session || (session <= 0) != (last_session <= 0) {
        return Err(format!("{text} does not go from an earlier session to a later one"));
    }
    if last_session - session > MOST_SESSIONS {
        return Err(format!("{text} covers more than {MOST_SESSIONS} sessions"));
    }
    let whole = |session: i64| HistoryRange { session, start: 1, stop: None };
    let mut ranges = vec![HistoryRange { start: first.line.unwrap_or(1), ..whole(session) }];
    ranges.extend((session + 1..last_session).map(whole));
    ranges.push(HistoryRange { stop: last.map(|line| line + 1), ..whole(last_session) });
    Ok(ranges)
}

/// `3` is the session of that number, `~3` the third before this one, and nothing (`/2`) is this one.
fn session_number(text: &str) -> Result<i64, String> {
    match text.strip_prefix('~') {
        Some(back) => Ok(-positive(back)?),
        None if text.is_empty() => Ok(0),
        None => positive(text),
    }
}

fn positive(text: &str) -> Result<i64, String> {
    let number: u32 = text.parse().map_err(|_| format!("`{text}` is no number of a line or a session"))?;
    if number == 0 { Err("lines and sessions are counted from 1".to_owned()) } else { Ok(i64::from(number)) }
}

#[cfg(test)]
mod tests {
    use super::parse;

    fn check(text: &str, expected: &str) {
        let shown = match parse(text) {
            Ok(ranges) => {
                let show = |range: &super::HistoryRange| {
                    format!(
                        "{}:{}..{}",
                        range.session,
                        range.start,
                        range.stop.map_or(String::new(), |stop| stop.to_string())
                    )
                };
                ranges.iter().map(show).collect::<Vec<_>>().join(" ")
            }
            Err(message) => message,
        };
        assert_eq!(shown, expected, "{text}");
    }

    #[test]
    fn ranges_as_ipython_writes_them() {
        check("4", "0:4..5");
        check("4-6", "0:4..7");
        check("4-", "a range is written 4, 4-6, 2/1-3 or ~1/");
        check("2/1-3", "2:1..4");
        check("2/", "2:1..");
        check("~1/", "-1:1..");
        check("~1/3", "-1:3..4");
        check("~8/1-~6/5", "-8:1.. -7:1.. -6:1..6");
        check("2/5-3/1", "2:5.. 3:1..2");
        check("2/5-2/7", "2:5..8");
        check("6-4", "6-4 ends before it begins");
        check("~1/1-~3/1", "~1/1-~3/1 does not go from an earlier session to a later one");
        check("0", "lines and sessions are counted from 1");
        check("x", "`x` is no number of a line or a session");
        check("", "a range is written 4, 4-6, 2/1-3 or ~1/");
        check("~/1", "`` is no number of a line or a session");
        check(
            "1/1-10000/1",
            &format!("1:1.. {}10000:1..2", (2..10_000).map(|n| format!("{n}:1.. ")).collect::<String>()),
        );
        check("1/1-20000/1", "1/1-20000/1 covers more than 10000 sessions");
        check("99999999999", "`99999999999` is no number of a line or a session");
    }
}
