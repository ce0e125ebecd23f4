//! Questions to the user.

use crate::outlet;
use std::io::{BufRead, Error, ErrorKind, IsTerminal, Write, stdin, stdout};
use std::process::{Command, Stdio};

/// Asks the user for a line, and gives it without its end.
///
/// ```no_run
/// let name = assay::input("Your name? ")?;
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// An error where the user ends the input, and where nobody can be asked: while a notebook is executed without a front end, for example. Outside
/// of a notebook the line is read from standard input.
pub fn input(prompt: &str) -> std::io::Result<String> {
    match outlet::ask(prompt, false) {
        Some(answer) => answer.ok_or_else(nobody),
        None => read(prompt),
    }
}

/// Asks the user for a line that is not shown while it is typed. Otherwise like [`input`].
///
/// ```no_run
/// let token = assay::password("Token: ")?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn password(prompt: &str) -> std::io::Result<String> {
    match outlet::ask(prompt, true) {
        Some(answer) => answer.ok_or_else(nobody),
        None if stdin().is_terminal() => read_hidden(prompt),
        None => read(prompt),
    }
}

fn nobody() -> Error {
    Error::new(ErrorKind::UnexpectedEof, "nobody answers: the input has ended, or this front end allows none")
}

fn read(prompt: &str) -> std::io::Result<String> {
    let mut stdout = stdout().lock();
    stdout.write_all(prompt.as_bytes())?;
    stdout.flush()?;
    line(&mut stdin().lock())
}

/// The next line, without its end.
fn line(from: &mut impl BufRead) -> std::io::Result<String> {
    let mut line = String::new();
    if from.read_line(&mut line)? == 0 {
        return Err(Error::new(ErrorKind::UnexpectedEof, "the input has ended"));
    }
    let end = line.trim_end_matches(['\n', '\r']).len();
    line.truncate(end);
    Ok(line)
}

fn read_hidden(prompt: &str) -> std::io::Result<String> {
    // The standard library cannot tell a terminal to be silent; the program can.
    stty("-echo")?;
    let answer = read(prompt);
    stty("echo")?;
    // Nor was the end of the line shown.
    stdout().write_all(b"\n")?;
    answer
}

fn stty(how: &str) -> std::io::Result<()> {
    let status = Command::new("stty").arg(how).stdin(Stdio::inherit()).status()?;
    if status.success() { Ok(()) } else { Err(Error::other(format!("`stty {how}` failed: {status}"))) }
}

#[cfg(test)]
mod tests {
    use super::line;
    use std::io::ErrorKind;

    #[test]
    fn a_line_has_no_end() {
        let mut input: &[u8] = b"a\r\n\nb";
        let mut next = || line(&mut input);
        assert_eq!(
            (next().unwrap(), next().unwrap(), next().unwrap()),
            ("a".into(), String::new(), "b".into())
        );
        assert_eq!(next().unwrap_err().kind(), ErrorKind::UnexpectedEof);
    }
}
