//! What the kernel hears of the processes that run cells from the one that keeps them, and from themselves: a socket beside the channel, on which
//! a message has a fixed length. One that announces a checkpoint carries the descriptor of its channel.

/// The length of a message in bytes.
pub const LENGTH: usize = 9;

/// A message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Note {
    /// A process has ended, with this status as `waitpid` has it. It may be one that a cell started.
    Ended {
        /// Its id.
        pid: u32,
        /// How.
        status: i32,
    },
    /// A process that runs cells is about to be ended by this signal.
    Crashing {
        /// Its id.
        pid: u32,
        /// The signal.
        signal: i32,
    },
    /// A process stands by as a checkpoint. The descriptor that comes with the message is the kernel's end of its channel: it runs no cell before it is told
    /// [`Wake`](crate::native::Command::Wake) there, and ends when the channel is closed.
    Checkpoint {
        /// Its id.
        pid: u32,
    },
}

impl Note {
    /// The bytes of the message.
    pub fn encode(self) -> [u8; LENGTH] {
        let (kind, pid, status) = match self {
            Self::Ended { pid, status } => (0, pid, status),
            Self::Checkpoint { pid } => (1, pid, 0),
            Self::Crashing { pid, signal } => (2, pid, signal),
        };
        let mut bytes = [kind; LENGTH];
        bytes[1..5].copy_from_slice(&pid.to_le_bytes());
        bytes[5..].copy_from_slice(&status.to_le_bytes());
        bytes
    }

    /// The message in these bytes; none if they are none.
    pub fn decode(bytes: [u8; LENGTH]) -> Option<Self> {
        let [kind, a, b, c, d, e, f, g, h] = bytes;
        let (pid, status) = (u32::from_le_bytes([a, b, c, d]), i32::from_le_bytes([e, f, g, h]));
        match kind {
            0 => Some(Self::Ended { pid, status }),
            1 => Some(Self::Checkpoint { pid }),
            2 => Some(Self::Crashing { pid, signal: status }),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{LENGTH, Note};

    #[test]
    fn a_note_is_read_as_it_was_written() {
        let crashing = Note::Crashing { pid: 9, signal: 11 };
        for note in [Note::Ended { pid: 70_000, status: -2 }, Note::Checkpoint { pid: 1 }, crashing] {
            assert_eq!(Note::decode(note.encode()), Some(note));
        }
        assert_eq!(Note::decode([7; LENGTH]), None);
    }
}
