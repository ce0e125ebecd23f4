//! How a call of rustc ended: well, with errors in the code, or with something that the code cannot be blamed for.

use super::super::program;
use super::super::toolchain::Toolchain;
use super::Message;
use crate::engine::Trouble;
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

/// The level of a message in which rustc owns up to a fault of its own.
const CRASH: &str = "error: internal compiler error";

/// The exit status of a rustc that panicked.
const PANICKED: i32 = 101;

/// What the system says when a file cannot be written, and rustc or the linker passes on.
const UNWRITABLE: [&str; 5] = [
    "No space left on device",
    "Disk quota exceeded",
    "Permission denied",
    "Read-only file system",
    "Input/output error",
];

/// What rustc says, and LLVM within it, when the system gives no more memory (`ulimit -v`).
const OUT_OF_MEMORY: [&str; 2] = ["memory allocation of ", "LLVM ERROR: out of memory"];

/// As much of the end of what rustc printed as somebody will read.
const LAST_LINES: usize = 12;

/// Whether rustc did what it should, and what it said about the code; an error if that is not the reason why it did not.
pub(super) fn judge(
    toolchain: &Toolchain,
    status: ExitStatus,
    stderr: &str,
) -> Result<(bool, Vec<Message>), Trouble> {
    let (messages, text) = read(stderr);
    if let Some(signal) = status.signal() {
        return Err(ended(toolchain, signal, &text));
    }
    if let Some(crash) = messages.iter().find(|message| message.level == CRASH) {
        return Err(crashed(toolchain, &format!("{}\n{text}", crash.message)));
    }
    let errors = messages.iter().any(|message| message.level == "error");
    match status.code() {
        Some(0) => Ok((true, messages)),
        Some(PANICKED) => Err(crashed(toolchain, &text)),
        Some(1) if errors => match messages.iter().find_map(blameless) {
            Some(trouble) => Err(trouble),
            None => Ok((false, messages)),
        },
        _ => Err(strange(toolchain, status, &messages, &text)),
    }
}

/// rustc could not even be started.
pub(super) fn not_started(toolchain: &Toolchain, error: &io::Error) -> Trouble {
    let remedy = match error.kind() {
        io::ErrorKind::NotFound => "if the toolchain was updated or removed, restart the kernel",
        _ => program::SHORT,
    };
    Trouble {
        what: format!("{} does not start: {error}", toolchain.rustc.display()),
        remedy: Some(remedy.to_owned()),
    }
}

/// What rustc said as messages, without its closing words; and what it printed otherwise.
fn read(stderr: &str) -> (Vec<Message>, String) {
    let (mut messages, mut text) = (Vec::new(), String::new());
    for line in stderr.lines() {
        match serde_json::from_str::<Message>(line) {
            Ok(message) if closing(&message) => {}
            Ok(message) => messages.push(message),
            // Of files that were made.
            Err(_) if line.starts_with("{\"$message_type\":") => {}
            Err(_) => {
                text.push_str(line);
                text.push('\n');
            }
        }
    }
    (messages, text)
}

/// `aborting due to 2 previous errors`, `1 warning emitted`, `For more information about this error, try …`.
fn closing(message: &Message) -> bool {
    let said = &message.message;
    let counts =
        said.starts_with("aborting due to ") || said.ends_with(" emitted") && message.level == "warning";
    message.level == "failure-note" || counts && message.code.is_none() && message.spans.is_empty()
}

/// What is wrong with the machine, if that is what an error is about: such an error has no place in the code.
fn blameless(message: &Message) -> Option<Trouble> {
    if message.level != "error" || !message.spans.is_empty() {
        return None;
    }
    let said = said(message);
    let trouble = |what: &str, remedy: &str| Trouble {
        what: format!("{what}:\n{}", last_lines(&said)),
        remedy: Some(remedy.to_owned()),
    };
    if UNWRITABLE.iter().any(|words| said.contains(words)) {
        return Some(trouble(
            "rustc cannot write what it makes",
            "make room on the disk, or make the kernel's cache folder writable (XDG_CACHE_HOME moves it)",
        ));
    }
    let linking = message.message.starts_with("linking with ");
    if linking && message.message.contains("signal: ") {
        return Some(trouble("the linker was ended", "the machine may be short of memory"));
    }
    if message.message.starts_with("linker ") && message.message.contains(" not found") {
        return Some(trouble("the linker is missing", NO_LINKER));
    }
    None
}

/// What to do where there is no C toolchain.
pub(in super::super) const NO_LINKER: &str = "install a C compiler, which rustc links with: `sudo apt install gcc libc6-dev` (Debian, Ubuntu) or `sudo dnf install gcc` (Fedora)";

/// A message with everything below it, but without the linker's arguments.
fn said(message: &Message) -> String {
    let mut text = message.message.clone();
    for child in message.children.iter().filter(|child| child.message.len() < 4096) {
        text.push('\n');
        text.push_str(&child.message);
    }
    text
}

fn ended(toolchain: &Toolchain, signal: i32, text: &str) -> Trouble {
    // Their numbers are the same on every system that Rust runs on.
    let name = match signal {
        2 => "SIGINT",
        4 => "SIGILL",
        6 => "SIGABRT",
        9 => "SIGKILL",
        11 => "SIGSEGV",
        15 => "SIGTERM",
        _ => "unnamed",
    };
    if matches!(signal, 4 | 6 | 11) {
        return crashed(toolchain, &format!("ended by signal {signal} ({name})\n{text}"));
    }
    starved(format!("rustc was ended by signal {signal} ({name})"))
}

fn starved(what: String) -> Trouble {
    Trouble {
        what,
        remedy: Some(
            "the machine may be short of memory: close something, or compile less at once".to_owned(),
        ),
    }
}

fn crashed(toolchain: &Toolchain, text: &str) -> Trouble {
    if OUT_OF_MEMORY.iter().any(|words| text.contains(words)) {
        return starved(format!("rustc ran out of memory:\n{}", last_lines(text)));
    }
    Trouble {
        what: format!("rustc itself crashed ({}):\n{}", toolchain.version, last_lines(text)),
        remedy: Some(
            "the code may be right: write it another way, and report the crash to https://github.com/rust-lang/rust/issues"
                .to_owned(),
        ),
    }
}

fn strange(toolchain: &Toolchain, status: ExitStatus, messages: &[Message], text: &str) -> Trouble {
    let said: Vec<_> = messages.iter().map(said).collect();
    Trouble {
        what: format!(
            "{} ended with {status}:\n{}",
            toolchain.version,
            last_lines(&(said.join("\n") + text))
        ),
        remedy: Some("`rustc --version` on the command line may say more".to_owned()),
    }
}

/// The end of a text.
pub(in super::super) fn last_lines(text: &str) -> String {
    let lines: Vec<_> = text.trim_end().lines().collect();
    lines[lines.len().saturating_sub(LAST_LINES)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::{judge, last_lines};
    use crate::engine::native::toolchain::Toolchain;
    use std::os::unix::process::ExitStatusExt;
    use std::process::ExitStatus;

    fn toolchain() -> Toolchain {
        Toolchain { version: "rustc 1.95.0".to_owned(), ..Toolchain::default() }
    }

    /// A message as rustc writes it.
    fn message(level: &str, message: &str, spans: &str, child: &str) -> String {
        format!(
            r#"{{"$message_type":"diagnostic","message":"{message}","code":null,"level":"{level}","spans":[{spans}],"children":[{{"message":"{child}","code":null,"level":"note","spans":[],"children":[],"rendered":null}}],"rendered":"…"}}"#
        )
    }

    const SPAN: &str = r#"{"file_name":"a.rs","byte_start":1,"byte_end":2,"is_primary":true,"label":null,"suggested_replacement":null,"expansion":null}"#;

    #[test]
    fn whose_fault_it_is() {
        // What rustc wrote, and its wait status (a signal in the low byte, else the exit status in the next).
        let check = |stderr: &str, status: i32, expected: &str| {
            let rendered = match judge(&toolchain(), ExitStatus::from_raw(status), stderr) {
                Ok((ok, messages)) => format!("ok={ok} messages={}", messages.len()),
                Err(trouble) => trouble.what.replace('\n', "|"),
            };
            assert_eq!(rendered, expected);
        };
        let exit = |code: i32| code << 8;
        check("", exit(0), "ok=true messages=0");
        check(&message("warning", "unused", SPAN, ""), exit(0), "ok=true messages=1");
        check(&message("warning", "2 warnings emitted", "", ""), exit(0), "ok=true messages=0");
        let closing = [
            message("error", "mismatched types", SPAN, ""),
            message("error", "aborting due to 1 previous error", "", ""),
            message("failure-note", "For more information about this error, try …", "", ""),
            r#"{"$message_type":"artifact","artifact":"/a.so","emit":"link"}"#.to_owned(),
        ];
        check(&closing.join("\n"), exit(1), "ok=false messages=1");
        check(&message("error", "No space left on device", SPAN, ""), exit(1), "ok=false messages=1");
        check(
            &message("error", "linking with `cc` failed: exit status: 1", "", "undefined symbol: foo"),
            exit(1),
            "ok=false messages=1",
        );
        check(
            &message("error", "linking with `cc` failed: exit status: 1", "", "ld: No space left on device"),
            exit(1),
            "rustc cannot write what it makes:|linking with `cc` failed: exit status: 1|ld: No space left on device",
        );
        check(
            &message("error", "linking with `rust-lld` failed: signal: 9 (SIGKILL)", "", "…"),
            exit(1),
            "the linker was ended:|linking with `rust-lld` failed: signal: 9 (SIGKILL)|…",
        );
        check(
            &message("error", "linker `cc` not found", "", "No such file"),
            exit(1),
            "the linker is missing:|linker `cc` not found|No such file",
        );
        check(
            &message("error: internal compiler error", "unexpected", SPAN, ""),
            exit(1),
            "rustc itself crashed (rustc 1.95.0):|unexpected",
        );
        check(
            "thread 'rustc' panicked",
            exit(101),
            "rustc itself crashed (rustc 1.95.0):|thread 'rustc' panicked",
        );
        check("", 9, "rustc was ended by signal 9 (SIGKILL)");
        check("", 11, "rustc itself crashed (rustc 1.95.0):|ended by signal 11 (SIGSEGV)");
        check(
            "memory allocation of 16384 bytes failed",
            6,
            "rustc ran out of memory:|ended by signal 6 (SIGABRT)|memory allocation of 16384 bytes failed",
        );
        check("no file", exit(1), "rustc 1.95.0 ended with exit status: 1:|no file");
    }

    #[test]
    fn a_long_text_is_cut_at_its_start() {
        let text: String = (0..30).map(|line| format!("{line}\n")).collect();
        assert!(last_lines(&text).starts_with("18\n"));
        assert_eq!(last_lines("a\n"), "a");
    }
}
