//! What cargo prints on its standard error: how far it is, and what it has to say if it fails.

use super::manifest::PACKAGE;

/// Takes the output as it comes.
#[derive(Debug, Default)]
pub(super) struct Said {
    /// The beginning of a line.
    unfinished: Vec<u8>,
    /// What is neither progress nor a step.
    text: String,
}

/// No more of a long error is shown.
const LINES: usize = 80;

/// The words with which cargo says what it is doing.
const STEPS: [&str; 14] = [
    "Adding",
    "Blocking",
    "Building",
    "Checking",
    "Compiling",
    "Downloaded",
    "Downloading",
    "Dirty",
    "Finished",
    "Fresh",
    "Locking",
    "Removing",
    "Updating",
    "Waiting",
];

/// What a registry or a repository that cannot be reached looks like.
const UNREACHABLE: [&str; 9] = [
    "config.json failed",
    "failed to download",
    "failed to fetch",
    "spurious network error",
    "Could not resolve host",
    "Couldn't resolve host",
    "Could not connect",
    "network failure",
    "failed to resolve address",
];

impl Said {
    /// Takes the next bytes. Gives the last thing that they say about how far cargo is, if they do.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Option<String> {
        let mut last = None;
        for byte in bytes {
            if !matches!(byte, b'\n' | b'\r') {
                self.unfinished.push(*byte);
                continue;
            }
            let line = std::mem::take(&mut self.unfinished);
            let line = String::from_utf8_lossy(&line);
            match step(line.trim_end()) {
                Step::Shown(text) => last = Some(text),
                Step::Quiet => {}
                // A bar that is drawn over is followed by an empty line.
                Step::No if line.trim().is_empty() && *byte == b'\r' => {}
                Step::No => {
                    self.text.push_str(line.trim_end());
                    self.text.push('\n');
                }
            }
        }
        last
    }

    /// The error, from its first line on.
    pub(super) fn error(&self) -> String {
        let text = self.text.trim();
        let lines: Vec<&str> = text.lines().skip_while(|line| !line.starts_with("error")).collect();
        let lines = if lines.is_empty() { text.lines().collect() } else { lines };
        let mut shown = lines.iter().take(LINES).copied().collect::<Vec<_>>().join("\n");
        if lines.len() > LINES {
            shown.push_str(&format!("\n… ({} more lines)", lines.len() - LINES));
        }
        of_the_notebook(shown.strip_prefix("error: ").unwrap_or(&shown).trim_end())
    }

    /// Whether something could not be reached over the network.
    pub(super) fn unreachable(&self) -> bool {
        UNREACHABLE.iter().any(|words| self.text.contains(words))
    }

    /// Whether cargo was told to stay offline, and says that this may be the reason.
    pub(super) fn kept_offline(&self) -> bool {
        self.text.contains("--offline") || self.text.contains("offline mode")
    }
}

/// The package that needs everything is the notebook, for whoever asked.
fn of_the_notebook(text: &str) -> String {
    let start = format!("package `{PACKAGE} v0.0.0 (");
    let mut pieces = text.split(&start);
    let mut out = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        out.push_str("this notebook");
        out.push_str(piece.split_once(")`").map_or("", |(_, rest)| rest));
    }
    out
}

enum Step {
    /// Something that the user may want to see.
    Shown(String),
    Quiet,
    /// It is something else.
    No,
}

fn step(line: &str) -> Step {
    let text = line.trim_start();
    let word = text.split(' ').next().unwrap_or_default();
    // Steps are set to the right, and errors are not.
    if text.len() == line.len() || !STEPS.contains(&word) {
        return Step::No;
    }
    match word {
        "Building" => bar(text).map_or(Step::Quiet, Step::Shown),
        "Updating" | "Downloading" => Step::Shown(text.trim_end().trim_end_matches('.').to_owned()),
        "Blocking" => Step::Shown("Waiting for another cargo that builds crates".to_owned()),
        _ => Step::Quiet,
    }
}

/// `Building [====>   ] 12/55: regex-automata, serde(build)`.
fn bar(text: &str) -> Option<String> {
    let (count, names) = text.rsplit_once("] ")?.1.split_once(": ")?;
    let (done, total) = count.split_once('/')?;
    Some(format!("Compiling {done} of {total}: {}", names.trim_end()))
}

#[cfg(test)]
mod tests {
    use super::Said;

    #[test]
    fn how_far_it_is() {
        let mut said = Said::default();
        let mut check = |bytes: &str, expected: Option<&str>| {
            assert_eq!(said.push(bytes.as_bytes()).as_deref(), expected, "{bytes:?}");
        };
        check("    Updating crates.io index\n", Some("Updating crates.io index"));
        check("     Locking 3 packages to latest compatible versions\n", None);
        check("   Compiling regex v1.0.0\n    Building [==> ] 12/55: regex-au", None);
        check("tomata, a(build)      \r", Some("Compiling 12 of 55: regex-automata, a(build)"));
        check("    Building [   ] 0/1: a \r    Building [=> ] 1/2: b \r", Some("Compiling 1 of 2: b"));
        check(
            "    Blocking waiting for file lock on build directory\n",
            Some("Waiting for another cargo that builds crates"),
        );
        check("warning: unused\n", None);
        assert_eq!(said.error(), "warning: unused");
    }

    #[test]
    fn an_error_is_all_that_follows_its_first_line() {
        let mut said = Said::default();
        said.push(b"    Updating crates.io index\nwarning: x\nerror: no matching package named `a` found\nlocation searched: b\n\nCaused by:\n  c\n");
        assert_eq!(
            said.error(),
            "no matching package named `a` found\nlocation searched: b\n\nCaused by:\n  c"
        );
        assert!(!said.unreachable());
        let mut said = Said::default();
        said.push(b"error: no `a` found\nrequired by package `assay_notebook v0.0.0 (/home/x)`\n");
        assert_eq!(said.error(), "no `a` found\nrequired by this notebook");
        let mut said = Said::default();
        said.push(
            b"error[E0425]: cannot find value `x`\n --> src/lib.rs:1:1\n  |\n   Compiling b v1\n1 | x\n",
        );
        assert_eq!(said.error(), "error[E0425]: cannot find value `x`\n --> src/lib.rs:1:1\n  |\n1 | x");
        let mut said = Said::default();
        said.push("error: long\n".repeat(100).as_bytes());
        assert!(said.error().ends_with("… (20 more lines)"));
    }

    #[test]
    fn a_network_that_is_not_there() {
        let check = |text: &str, unreachable: bool, offline: bool| {
            let mut said = Said::default();
            said.push(text.as_bytes());
            assert_eq!((said.unreachable(), said.kept_offline()), (unreachable, offline), "{text}");
        };
        check("warning: spurious network error (3 tries remaining): [7] …\n", true, false);
        check("As a reminder, you're using offline mode (--offline) which can …\n", false, true);
        check("error: no matching package named `a` found\n", false, false);
    }
}
