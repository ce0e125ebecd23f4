//! The relay: a small process between evcxr and the process that runs cells.
//!
//! evcxr reads the output of the process that runs cells by lines, keeps one content block per type and has no order between the two
//! streams. The relay starts that process in evcxr's place, takes its output apart as it comes and tells it in [`Word`]s; evcxr gets the
//! lines that it needs. When a cell's function has returned, the relay flushes and drains all output *before* it tells evcxr, so whoever
//! evcxr answers has the whole output by then.
//!
//! It has one thread, ends with the process that started it, and takes everything that the cells started with it.

mod marks;

use crate::prelude;
use crate::words::{Panic, Word};
use assay_link::evcxr::Stream;
use assay_link::text::Decoder;
use marks::{Marks, Piece};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::{AsFd, OwnedFd};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::PathBuf;
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};

/// The argument that makes this program a relay.
pub(crate) const ARGUMENT: &str = "relay";

/// How often a running cell is looked at: whether it waits for input.
const LOOK: Timespec = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };

/// How long text that may be the beginning of a mark is held back.
const PATIENCE: Timespec = Timespec { tv_sec: 0, tv_nsec: 50_000_000 };

/// Runs until the process that runs cells, or evcxr, has ended.
pub(crate) fn run(folder: Option<PathBuf>) -> io::Result<()> {
    let mut relay = Relay::start(folder)?;
    let result = relay.watch();
    let cause = relay.end();
    // evcxr, if it is still there, waits for this word: it says why the process died.
    tell(&Word::Died { cause })?;
    result
}

/// The process that runs cells, and what is known of it.
struct Relay {
    child: Child,
    /// Readable when the child has ended.
    ended: OwnedFd,
    commands: Option<ChildStdin>,
    stdout: Option<ChildStdout>,
    stderr: Option<ChildStderr>,
    marks: Marks,
    /// Half a character of standard error.
    stderr_text: Decoder,
    /// Half a line of evcxr's.
    command_held: Vec<u8>,
    /// The error that the prelude told, until evcxr's mark says that it ended the cell.
    question: Option<String>,
    stage: Stage,
    /// Whether a line of input was asked for and has not come yet.
    asked: bool,
    /// The command that runs the prelude, and where it is left for the next relay.
    prelude: Option<String>,
    prelude_file: Option<PathBuf>,
}

/// What the process that runs cells does.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Stage {
    /// It has run nothing yet.
    New,
    /// The prelude; then this command of evcxr's.
    Preparing(String),
    /// This command of evcxr's.
    Running(String),
    /// The prelude once more, to flush; this command is over.
    Flushing(String),
    /// It waits.
    Idle,
}

impl Relay {
    fn start(folder: Option<PathBuf>) -> io::Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            // evcxr asks for back traces of every panic; nobody wants those of its own frames.
            .env_remove("RUST_BACKTRACE")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()?;
        let (commands, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        for output in
            [stdout.as_ref().map(AsFd::as_fd), stderr.as_ref().map(AsFd::as_fd)].into_iter().flatten()
        {
            rustix::io::ioctl_fionbio(output, true)?;
        }
        tell(&Word::Runtime { pid: child.id() })?;
        let prelude_file = folder.map(|folder| folder.join(prelude::FILE));
        Ok(Self {
            ended: pidfd_open(Pid::from_child(&child), PidfdFlags::empty())?,
            child,
            commands,
            stdout,
            stderr,
            marks: Marks::default(),
            stderr_text: Decoder::default(),
            command_held: Vec::new(),
            question: None,
            stage: Stage::New,
            asked: false,
            prelude: prelude_file.as_ref().and_then(|file| std::fs::read_to_string(file).ok()),
            prelude_file,
        })
    }

    /// Passes on what comes until one side has ended.
    fn watch(&mut self) -> io::Result<()> {
        loop {
            let ready = self.wait()?;
            if ready.stdout {
                self.read_stdout()?;
            }
            if ready.stderr {
                self.read_stderr()?;
            }
            if ready.idle {
                self.look()?;
            }
            if ready.ended || (ready.commands && !self.read_commands()?) {
                return Ok(());
            }
        }
    }

    fn wait(&self) -> io::Result<Ready> {
        let stdin = io::stdin();
        let looks = !self.asked && matches!(self.stage, Stage::Running(_));
        let patience = if self.marks.holds() { Some(&PATIENCE) } else { looks.then_some(&LOOK) };
        let mut polled = vec![PollFd::new(&self.ended, PollFlags::IN), PollFd::new(&stdin, PollFlags::IN)];
        polled.extend(self.stdout.as_ref().map(|fd| PollFd::new(fd, PollFlags::IN)));
        polled.extend(self.stderr.as_ref().map(|fd| PollFd::new(fd, PollFlags::IN)));
        let count = match poll(&mut polled, patience) {
            Err(rustix::io::Errno::INTR) => return Ok(Ready::default()),
            result => result?,
        };
        let mut ready = polled.iter().map(|fd| !fd.revents().is_empty());
        let mut next = || ready.next().unwrap_or(false);
        Ok(Ready {
            idle: count == 0,
            ended: next(),
            commands: next(),
            stdout: self.stdout.is_some() && next(),
            stderr: self.stderr.is_some() && next(),
        })
    }

    /// Nothing came for a while: what was held back is text, and the cell may wait for a line of input.
    fn look(&mut self) -> io::Result<()> {
        if self.marks.holds() {
            let pieces = self.marks.release();
            self.take(pieces)?;
        }
        if !self.asked && matches!(self.stage, Stage::Running(_)) && self.reads_input() {
            self.take_one(Piece::Ask { prompt: String::new(), password: false })?;
        }
        Ok(())
    }

    /// Whether the cell's thread is blocked in a read of its standard input. Where the system does not tell, it is not.
    fn reads_input(&self) -> bool {
        let number = if cfg!(target_arch = "x86_64") { "0" } else { "63" };
        let file = format!("/proc/{}/syscall", self.child.id());
        let call = std::fs::read_to_string(file).unwrap_or_default();
        let reads = call.strip_prefix(number).is_some_and(|arguments| arguments.starts_with(" 0x0 "));
        let waiting = self.commands.as_ref().map(rustix::io::ioctl_fionread);
        reads && matches!(waiting, Some(Ok(0)))
    }

    /// Reads what evcxr says; false if it has ended.
    fn read_commands(&mut self) -> io::Result<bool> {
        let mut bytes = [0; 4096];
        let got = rustix::io::read(io::stdin(), &mut bytes)?;
        self.command_held.extend_from_slice(&bytes[..got]);
        while let Some(end) = self.command_held.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.command_held.drain(..=end).collect();
            self.command(String::from_utf8_lossy(&line).into_owned())?;
        }
        Ok(got > 0)
    }

    fn command(&mut self, line: String) -> io::Result<()> {
        if !line.starts_with("LOAD_AND_RUN ") {
            self.asked = false;
            return self.pass(&line);
        }
        match (self.stage == Stage::New, self.prelude.clone()) {
            (true, Some(prelude)) => {
                self.stage = Stage::Preparing(line);
                self.pass(&prelude)
            }
            _ => self.begin(line),
        }
    }

    fn begin(&mut self, line: String) -> io::Result<()> {
        tell(&Word::Began { entry: entry(&line) })?;
        self.pass(&line)?;
        self.asked = false;
        self.stage = Stage::Running(line);
        Ok(())
    }

    /// Says a line to the process that runs cells. If it has died, the next look at it tells.
    fn pass(&mut self, line: &str) -> io::Result<()> {
        match self.commands.as_mut().map(|commands| commands.write_all(line.as_bytes())) {
            Some(Err(error)) if error.kind() != ErrorKind::BrokenPipe => Err(error),
            _ => Ok(()),
        }
    }

    /// Reads once; false if there was nothing.
    fn read_stdout(&mut self) -> io::Result<bool> {
        let mut bytes = [0; 65536];
        let Some(got) = read_once(&mut self.stdout, &mut bytes)? else {
            return Ok(false);
        };
        let pieces = self.marks.push(&bytes[..got]);
        self.take(pieces)?;
        Ok(got > 0)
    }

    /// Reads once; false if there was nothing.
    fn read_stderr(&mut self) -> io::Result<bool> {
        let mut bytes = [0; 65536];
        let Some(got) = read_once(&mut self.stderr, &mut bytes)? else {
            return Ok(false);
        };
        let text = if got == 0 { self.stderr_text.end() } else { self.stderr_text.decode(&bytes[..got]) };
        tell_text(Stream::Stderr, &text)?;
        Ok(got > 0)
    }

    fn take(&mut self, pieces: Vec<Piece>) -> io::Result<()> {
        pieces.into_iter().try_for_each(|piece| self.take_one(piece))
    }

    fn take_one(&mut self, piece: Piece) -> io::Result<()> {
        if piece == Piece::Question {
            tell(&Word::Question { message: self.question.take().unwrap_or_default() })?;
            return say("EVCXR_ERROR_OCCURRED");
        }
        self.release_question()?;
        match piece {
            Piece::Text(text) => tell_text(Stream::Stdout, &text),
            Piece::Block { mime, content } => self.block(mime, content),
            Piece::Complete => self.completed(),
            Piece::Panicked => tell(&Word::Panicked).and_then(|()| say("EVCXR_PANIC_NOTIFICATION")),
            Piece::Redefined(name) => {
                say(&format!("EVCXR_VARIABLE_CHANGED_TYPE:{name}"))?;
                tell(&Word::Redefined { name })
            }
            Piece::Ask { prompt, password } => {
                self.asked = true;
                tell(&Word::Ask { prompt, password })?;
                say(if password { "EVCXR_INPUT_REQUEST_PASSWORD:" } else { "EVCXR_INPUT_REQUEST:" })
            }
            Piece::Question => Ok(()),
        }
    }

    /// An error was printed as a failed `?` prints it, but it did not end the cell: it is text of the user's.
    fn release_question(&mut self) -> io::Result<()> {
        self.question.take().map_or(Ok(()), |text| tell_text(Stream::Stderr, &format!("{text}\n")))
    }

    fn block(&mut self, mime: String, content: String) -> io::Result<()> {
        match mime.as_str() {
            prelude::PRELUDE => self.found_prelude(),
            prelude::PANIC => tell(&Word::Panic(panic(&content))),
            prelude::QUESTION => {
                self.question = Some(content);
                Ok(())
            }
            _ => tell(&Word::Block { mime, content }),
        }
    }

    fn found_prelude(&mut self) -> io::Result<()> {
        let Stage::Running(line) = &self.stage else {
            return Ok(());
        };
        self.prelude = Some(line.clone());
        self.prelude_file.as_ref().map_or(Ok(()), |file| std::fs::write(file, line))
    }

    /// A function returned: which, and what follows, is what the stage says.
    fn completed(&mut self) -> io::Result<()> {
        match (std::mem::replace(&mut self.stage, Stage::Idle), self.prelude.clone()) {
            (Stage::Preparing(line), _) => self.begin(line),
            (Stage::Running(line), Some(prelude)) => {
                self.stage = Stage::Flushing(line);
                self.pass(&prelude)
            }
            (Stage::Running(line) | Stage::Flushing(line), _) => {
                while self.read_stderr()? {}
                tell(&Word::Ended { entry: entry(&line) })?;
                say("EVCXR_EXECUTION_COMPLETE")
            }
            (Stage::New | Stage::Idle, _) => Ok(()),
        }
    }

    /// Ends the process that runs cells with everything that it started, tells its last output, and says what it died of.
    fn end(&mut self) -> String {
        let group = Pid::from_child(&self.child);
        let exited = self.has_ended();
        // It has not been waited for, so its id is still its own. No such group: then there is nothing to end.
        let _ = kill_process_group(group, Signal::KILL);
        let status = self.child.wait();
        if exited {
            // What cannot be read or told any more has no reader either.
            while self.read_stdout().unwrap_or(false) {}
            while self.read_stderr().unwrap_or(false) {}
            let pieces = self.marks.release();
            let _ = self.take(pieces);
        }
        status.map_or_else(|error| error.to_string(), cause)
    }

    fn has_ended(&self) -> bool {
        let mut polled = [PollFd::new(&self.ended, PollFlags::IN)];
        poll(&mut polled, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })).is_ok_and(|count| count > 0)
    }
}

/// What there is to do.
#[derive(Debug, Default)]
struct Ready {
    idle: bool,
    ended: bool,
    commands: bool,
    stdout: bool,
    stderr: bool,
}

/// Reads what is there: none if nothing is, 0 at the end (and the stream is closed then).
fn read_once(from: &mut Option<impl Read>, bytes: &mut [u8]) -> io::Result<Option<usize>> {
    let Some(stream) = from else { return Ok(None) };
    match stream.read(bytes) {
        Ok(0) => {
            *from = None;
            Ok(Some(0))
        }
        Ok(got) => Ok(Some(got)),
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The name of the function that a command runs.
fn entry(line: &str) -> String {
    line.split_whitespace().nth(2).unwrap_or_default().to_owned()
}

/// The prelude's words about a panic.
fn panic(content: &str) -> Panic {
    let mut parts = content.splitn(4, '\n');
    let mut next = || parts.next().unwrap_or_default();
    let (file, line, column) = (next().to_owned(), next().parse(), next().parse());
    Panic { file, line: line.unwrap_or(0), column: column.unwrap_or(0), message: next().to_owned() }
}

/// What a process died of, in words.
fn cause(status: ExitStatus) -> String {
    let Some(signal) = status.signal() else {
        return format!("exit status {}", status.code().unwrap_or_default());
    };
    let name = match Signal::from_named_raw(signal) {
        Some(Signal::SEGV) => "segmentation fault (a stack overflow ends like this, too)",
        Some(Signal::ABORT) => "abort",
        Some(Signal::KILL) => "killed (by the system, if memory was short)",
        Some(Signal::ILL) => "illegal instruction",
        Some(Signal::BUS) => "bus error",
        Some(Signal::FPE) => "arithmetic fault",
        Some(Signal::TERM) => "terminated",
        _ => return format!("signal {signal}"),
    };
    name.to_owned()
}

fn tell_text(stream: Stream, text: &str) -> io::Result<()> {
    if text.is_empty() { Ok(()) } else { tell(&Word::Text { stream, text: text.to_owned() }) }
}

/// Tells the evcxr process a word. This process's standard error carries nothing else.
fn tell(word: &Word) -> io::Result<()> {
    let mut line = serde_json::to_vec(word)?;
    line.push(b'\n');
    io::stderr().write_all(&line)
}

/// Says a line to evcxr itself.
fn say(line: &str) -> io::Result<()> {
    io::stdout().write_all(format!("{line}\n").as_bytes())
}

#[cfg(test)]
mod tests {
    use super::{Panic, entry, panic};

    #[test]
    fn the_panic_block_is_read() {
        let at = |line, column, message: &str| Panic {
            file: "src/lib.rs".into(),
            line,
            column,
            message: message.into(),
        };
        assert_eq!(panic("src/lib.rs\n12\n5\nno\nway"), at(12, 5, "no\nway"));
        assert_eq!(panic("src/lib.rs\n\n\n"), at(0, 0, ""));
    }

    #[test]
    fn the_entry_is_the_functions_name() {
        assert_eq!(entry("LOAD_AND_RUN /tmp/code_3.so run_user_code_7\n"), "run_user_code_7");
    }
}
