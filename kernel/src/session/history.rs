//! The cells that were run, kept across restarts in one SQLite file for all kernels of a user.
//!
//! Opened on first use. When the file cannot be used (a full disk, a read-only home) the history goes on in memory and says so
//! once: a history must never fail a cell.

use super::folders::{make_private, make_private_file};
use super::request::HistoryAccess;
use assay_magics::outcome::HistoryLine;
use rusqlite::{Connection, OptionalExtension, Row, named_params, params};
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long a write waits for another kernel that holds the file.
const PATIENCE: Duration = Duration::from_secs(2);

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS sessions (session INTEGER PRIMARY KEY AUTOINCREMENT, started TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP);
    CREATE TABLE IF NOT EXISTS cells (
        session INTEGER NOT NULL, line INTEGER NOT NULL, input TEXT NOT NULL, output TEXT,
        PRIMARY KEY (session, line));";

/// The history file and this kernel's place in it.
pub(crate) struct History {
    file: PathBuf,
    open: Option<Open>,
}

struct Open {
    database: Connection,
    /// This kernel's number, given when its first cell is stored.
    session: Option<i64>,
}

impl History {
    /// A history in `file`, whose folder is made when it is first needed.
    pub(crate) fn new(file: PathBuf) -> Self {
        Self { file, open: None }
    }

    /// Keeps a cell. Failures are logged: they are not the cell's.
    pub(crate) fn store(&mut self, line: u32, input: &str, output: Option<&str>) {
        if let Err(error) = self.opened().and_then(|open| open.store(line, input, output)) {
            tracing::warn!("the cell was not kept in the history {}: {error}", self.file.display());
        }
    }

    /// Cells, oldest first.
    pub(crate) fn find(&mut self, access: &HistoryAccess) -> Vec<HistoryLine> {
        self.opened().and_then(|open| open.find(access)).unwrap_or_else(|error| {
            tracing::warn!("the history {} cannot be read: {error}", self.file.display());
            Vec::new()
        })
    }

    fn opened(&mut self) -> rusqlite::Result<&mut Open> {
        let open = match self.open.take() {
            Some(open) => open,
            None => Open::file(&self.file).or_else(|error| {
                tracing::warn!(
                    "the history {} cannot be opened, it stays in memory: {error}",
                    self.file.display()
                );
                Open::new(Connection::open_in_memory()?)
            })?,
        };
        Ok(self.open.insert(open))
    }
}

impl Open {
    fn file(path: &Path) -> rusqlite::Result<Self> {
        let private = path.parent().map_or(Ok(()), make_private).and_then(|()| make_private_file(path));
        private.map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
        Self::new(Connection::open(path)?)
    }

    fn new(database: Connection) -> rusqlite::Result<Self> {
        database.busy_timeout(PATIENCE)?;
        database.execute_batch(SCHEMA)?;
        Ok(Self { database, session: None })
    }

    fn store(&mut self, line: u32, input: &str, output: Option<&str>) -> rusqlite::Result<()> {
        let session = self.own_session()?;
        self.database.execute(
            "INSERT OR REPLACE INTO cells (session, line, input, output) VALUES (?1, ?2, ?3, ?4)",
            params![session, line, input, output],
        )?;
        Ok(())
    }

    fn own_session(&mut self) -> rusqlite::Result<i64> {
        if let Some(session) = self.session {
            return Ok(session);
        }
        self.database.execute("INSERT INTO sessions DEFAULT VALUES", [])?;
        Ok(*self.session.insert(self.database.last_insert_rowid()))
    }

    fn find(&mut self, access: &HistoryAccess) -> rusqlite::Result<Vec<HistoryLine>> {
        match access {
            HistoryAccess::Tail { n } => self.tail(*n),
            HistoryAccess::Range { session, start, stop } => self.range(*session, *start, *stop),
            HistoryAccess::Search { pattern, n, unique } => self.search(pattern, *n, *unique),
        }
    }

    fn tail(&self, n: usize) -> rusqlite::Result<Vec<HistoryLine>> {
        let mut found = self.query(
            "SELECT session, line, input, output FROM cells ORDER BY session DESC, line DESC LIMIT :limit",
            named_params! { ":limit": limit(Some(n)) },
        )?;
        found.reverse();
        Ok(found)
    }

    /// Lines `start..stop`; as in IPython, 0 is this session and a negative number counts back from it.
    fn range(&mut self, session: i64, start: i64, stop: Option<i64>) -> rusqlite::Result<Vec<HistoryLine>> {
        let Some(session) = self.absolute(session)? else { return Ok(Vec::new()) };
        let last: i64 = self.database.query_row(
            "SELECT coalesce(max(line), 0) FROM cells WHERE session = ?1",
            [session],
            |row| row.get(0),
        )?;
        let from_end = |line: i64| if line < 0 { (last + 1 + line).max(0) } else { line };
        self.query(
            "SELECT session, line, input, output FROM cells
             WHERE session = :session AND line >= :start AND line < :stop ORDER BY line",
            named_params! {
                ":session": session, ":start": from_end(start), ":stop": stop.map_or(last + 1, from_end),
            },
        )
    }

    fn absolute(&self, session: i64) -> rusqlite::Result<Option<i64>> {
        if session > 0 {
            return Ok(Some(session));
        }
        if session == 0 {
            return Ok(self.session);
        }
        // Without a session of its own, the newest one in the file is the one before this.
        let own = self.session.unwrap_or(i64::MAX);
        self.database
            .query_row(
                "SELECT session FROM sessions WHERE session < ?1 ORDER BY session DESC LIMIT 1 OFFSET ?2",
                params![own, -session - 1],
                |row| row.get(0),
            )
            .optional()
    }

    /// The last `n` cells that match; with `unique` only the newest of equal ones.
    fn search(&self, pattern: &str, n: Option<usize>, unique: bool) -> rusqlite::Result<Vec<HistoryLine>> {
        let mut found = self.query(
            "SELECT session, line, input, output FROM cells WHERE input GLOB :pattern ORDER BY session DESC, line DESC LIMIT :limit",
            named_params! { ":pattern": pattern, ":limit": limit(n.filter(|_| !unique)) },
        )?;
        if unique {
            let mut seen = HashSet::new();
            found.retain(|line| seen.insert(line.input.clone()));
            found.truncate(n.unwrap_or(usize::MAX));
        }
        found.reverse();
        Ok(found)
    }

    fn query(
        &self,
        sql: &str,
        parameters: &[(&str, &dyn rusqlite::ToSql)],
    ) -> rusqlite::Result<Vec<HistoryLine>> {
        self.database.prepare_cached(sql)?.query_map(parameters, line_of)?.collect()
    }
}

fn line_of(row: &Row<'_>) -> rusqlite::Result<HistoryLine> {
    Ok(HistoryLine { session: row.get(0)?, line: row.get(1)?, input: row.get(2)?, output: row.get(3)? })
}

/// SQLite's LIMIT: -1 is none.
fn limit(n: Option<usize>) -> i64 {
    n.map_or(-1, |n| i64::try_from(n).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn history(file: &Path, cells: &[&str]) -> History {
        let mut history = History::new(file.to_owned());
        for (line, input) in cells.iter().enumerate() {
            history.store(u32::try_from(line).unwrap() + 1, input, Some(&format!("value of {input}")));
        }
        history
    }

    #[track_caller]
    fn check(history: &mut History, access: &HistoryAccess, expected: &[(i64, i64, &str)]) {
        let found = history.find(access);
        let found: Vec<_> = found.iter().map(|l| (l.session, l.line, l.input.as_str())).collect();
        assert_eq!(found, expected, "{access:?}");
    }

    fn search(pattern: &str, n: Option<usize>, unique: bool) -> HistoryAccess {
        HistoryAccess::Search { pattern: pattern.into(), n, unique }
    }

    #[test]
    fn every_access_across_two_sessions() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("assay").join("history.sqlite");
        history(&file, &["let a = 1;", "a"]);
        let mut second = history(&file, &["a", "b", "a"]);
        let range = |session, start, stop| HistoryAccess::Range { session, start, stop };

        check(&mut second, &HistoryAccess::Tail { n: 2 }, &[(2, 2, "b"), (2, 3, "a")]);
        check(&mut second, &HistoryAccess::Tail { n: 0 }, &[]);
        check(&mut second, &range(0, 1, Some(3)), &[(2, 1, "a"), (2, 2, "b")]);
        check(&mut second, &range(0, -1, None), &[(2, 3, "a")]);
        check(&mut second, &range(-1, 1, None), &[(1, 1, "let a = 1;"), (1, 2, "a")]);
        check(&mut second, &range(1, 2, Some(9)), &[(1, 2, "a")]);
        check(&mut second, &range(-7, 1, None), &[]);
        check(&mut second, &search("a", None, false), &[(1, 2, "a"), (2, 1, "a"), (2, 3, "a")]);
        check(&mut second, &search("a", None, true), &[(2, 3, "a")]);
        check(&mut second, &search("*", Some(2), true), &[(2, 2, "b"), (2, 3, "a")]);
        check(&mut second, &search("let*", Some(3), false), &[(1, 1, "let a = 1;")]);
        check(&mut second, &search("?", Some(1), false), &[(2, 3, "a")]);
    }

    #[test]
    fn a_session_without_cells_finds_the_ones_before() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("history.sqlite");
        history(&file, &["first"]);
        let mut fresh = History::new(file);
        check(&mut fresh, &HistoryAccess::Range { session: -1, start: 0, stop: None }, &[(1, 1, "first")]);
        check(&mut fresh, &HistoryAccess::Range { session: 0, start: 0, stop: None }, &[]);
    }

    #[test]
    fn outputs_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let mut history = history(&folder.path().join("h"), &["x"]);
        assert_eq!(history.find(&HistoryAccess::Tail { n: 1 })[0].output.as_deref(), Some("value of x"));
    }

    /// A home that cannot be written must not cost the session its history, nor a cell its run.
    #[test]
    fn a_file_that_cannot_be_opened_leaves_a_history_in_memory() {
        let folder = tempfile::tempdir().unwrap();
        let obstacle = folder.path().join("file");
        std::fs::write(&obstacle, "not a folder").unwrap();
        let mut history = history(&obstacle.join("history.sqlite"), &["kept"]);
        check(&mut history, &HistoryAccess::Tail { n: 5 }, &[(1, 1, "kept")]);
    }
}
