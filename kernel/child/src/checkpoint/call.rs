//! What a copy that stands still is told first. It is read without allocating, for a thread that is not back yet may be in the allocator.

use assay_link::frame::HEADER;
use rustix::io::{Errno, read};
use std::os::unix::net::UnixStream;

/// What it is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Call {
    /// It takes the place of the process that it is a copy of.
    Wake,
    /// It comes to life beside it.
    Rehearse,
}

/// The calls, and how each stands in its message.
const CALLS: [(Call, &[u8]); 2] = [(Call::Wake, b"\"Wake\""), (Call::Rehearse, b"\"Rehearse\"")];

/// As long as the longest of them.
const LONGEST: usize = 10;

/// Waits for the first message and takes it. None if the channel is closed, or it is another one.
pub(super) fn next(channel: &UnixStream) -> Option<Call> {
    let mut header = [0; HEADER];
    fill(channel, &mut header)?;
    let mut message = [0; LONGEST];
    let message = message.get_mut(..usize::try_from(u32::from_le_bytes(header)).ok()?)?;
    fill(channel, message)?;
    CALLS.iter().find(|(_, text)| *text == message).map(|(call, _)| *call)
}

/// Reads until it is full; none if that does not come.
fn fill(channel: &UnixStream, buffer: &mut [u8]) -> Option<()> {
    let mut got = 0;
    while got < buffer.len() {
        match read(channel, &mut buffer[got..]) {
            Ok(0) => return None,
            Ok(count) => got += count,
            Err(Errno::INTR) => {}
            Err(_) => return None,
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::{CALLS, Call, LONGEST, next};
    use assay_link::frame;
    use assay_link::native::Command;
    use std::io::Write;
    use std::os::unix::net::UnixStream;

    fn heard(bytes: &[u8]) -> Option<Call> {
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        theirs.write_all(bytes).unwrap();
        drop(theirs);
        next(&ours)
    }

    #[test]
    fn the_calls_stand_there_as_the_kernel_writes_them() {
        let check = |command: Command, expected: Option<Call>| {
            let bytes = frame::encode(&command).unwrap();
            assert_eq!(heard(&bytes), expected, "{command:?}");
            assert_eq!(heard(&bytes[..bytes.len() - 1]), None, "{command:?}");
        };
        check(Command::Wake, Some(Call::Wake));
        check(Command::Rehearse, Some(Call::Rehearse));
        check(Command::Stop, None);
        check(Command::Folder { path: "/a/longer/message".to_owned() }, None);
        assert_eq!(heard(&[]), None);
        assert_eq!(heard(&[255; 20]), None);
        assert_eq!(CALLS.iter().map(|(_, text)| text.len()).max(), Some(LONGEST));
    }

    #[test]
    fn what_follows_is_left_for_whoever_listens() {
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        for command in [Command::Rehearse, Command::Proceed] {
            frame::write(&mut theirs, &command).unwrap();
        }
        theirs.flush().unwrap();
        assert_eq!(next(&ours), Some(Call::Rehearse));
        assert_eq!(frame::read(&mut &ours).unwrap(), Some(Command::Proceed));
    }
}
