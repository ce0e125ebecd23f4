//! How a message stands on the wire: its length as a little-endian `u32`, then that many bytes of JSON.

use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt;
use std::io::{self, Read, Write};

/// The bytes in front of a message.
pub const HEADER: usize = 4;

/// No message is longer. A picture that a cell shows fits many times; a length above it means that the stream is not a link.
pub const LIMIT: usize = 256 << 20;

/// Why a message could not be sent or received. After any of these the stream is of no more use.
#[derive(Debug)]
pub enum FrameError {
    /// The message is longer than [`LIMIT`].
    TooLong {
        /// Its length in bytes.
        length: usize,
    },
    /// The stream ended inside a message.
    Cut,
    /// The bytes are not the message that was expected.
    Malformed(serde_json::Error),
    /// The stream failed.
    Io(io::Error),
}

/// The bytes of a message, header included.
pub fn encode(message: &impl Serialize) -> Result<Vec<u8>, FrameError> {
    let mut bytes = vec![0; HEADER];
    serde_json::to_writer(&mut bytes, message).map_err(FrameError::Malformed)?;
    let length = bytes.len() - HEADER;
    let header =
        u32::try_from(length).ok().filter(|_| length <= LIMIT).ok_or(FrameError::TooLong { length })?;
    bytes[..HEADER].copy_from_slice(&header.to_le_bytes());
    Ok(bytes)
}

/// The length of the message behind a header.
pub fn length(header: [u8; HEADER]) -> Result<usize, FrameError> {
    let length = usize::try_from(u32::from_le_bytes(header)).unwrap_or(usize::MAX);
    if length > LIMIT { Err(FrameError::TooLong { length }) } else { Ok(length) }
}

/// The message in the bytes behind a header.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, FrameError> {
    serde_json::from_slice(bytes).map_err(FrameError::Malformed)
}

/// Sends a message.
pub fn write(to: &mut impl Write, message: &impl Serialize) -> Result<(), FrameError> {
    to.write_all(&encode(message)?).and_then(|()| to.flush()).map_err(FrameError::Io)
}

/// Receives a message; none when the stream ended where a message would begin.
pub fn read<T: DeserializeOwned>(from: &mut impl Read) -> Result<Option<T>, FrameError> {
    let mut header = [0; HEADER];
    match fill(from, &mut header)? {
        0 => return Ok(None),
        HEADER => {}
        _ => return Err(FrameError::Cut),
    }
    let length = length(header)?;
    let mut bytes = Vec::new();
    // Grows as bytes arrive, so that a length that lies costs no memory.
    let got = from.take(length as u64).read_to_end(&mut bytes).map_err(FrameError::Io)?;
    if got < length { Err(FrameError::Cut) } else { decode(&bytes).map(Some) }
}

/// Reads until `buffer` is full or the stream ends, and tells how much came.
fn fill(from: &mut impl Read, buffer: &mut [u8]) -> Result<usize, FrameError> {
    let mut got = 0;
    while got < buffer.len() {
        match from.read(&mut buffer[got..]) {
            Ok(0) => break,
            Ok(n) => got += n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(FrameError::Io(error)),
        }
    }
    Ok(got)
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong { length } => {
                write!(f, "a message of {length} bytes is above the limit of {LIMIT}")
            }
            Self::Cut => write!(f, "the stream ended inside a message"),
            Self::Malformed(error) => write!(f, "a message is not what was expected: {error}"),
            Self::Io(error) => write!(f, "the stream failed: {error}"),
        }
    }
}

impl std::error::Error for FrameError {}

#[cfg(test)]
mod tests {
    use super::{FrameError, HEADER, LIMIT, encode, read, write};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_written_is_read(messages in proptest::collection::vec(".{0,300}", 0..8)) {
            let mut wire = Vec::new();
            for message in &messages {
                write(&mut wire, message).unwrap();
            }
            let mut stream = wire.as_slice();
            for message in &messages {
                let got: Option<String> = read(&mut stream).unwrap();
                prop_assert_eq!(got.as_ref(), Some(message));
            }
            prop_assert!(read::<String>(&mut stream).unwrap().is_none());
        }

        #[test]
        fn a_stream_cut_anywhere_is_an_error_and_never_a_message(message in ".{1,50}", cut in 1usize..1000) {
            let wire = encode(&message).unwrap();
            let cut = cut % (wire.len() - 1) + 1;
            prop_assert!(matches!(read::<String>(&mut &wire[..cut]), Err(FrameError::Cut)));
        }

        #[test]
        fn noise_is_refused(noise in proptest::collection::vec(any::<u8>(), HEADER..200)) {
            // Must not panic and must not allocate what the header claims.
            prop_assert!(!matches!(read::<Vec<Vec<u8>>>(&mut noise.as_slice()), Ok(None)));
        }
    }

    #[test]
    fn a_length_above_the_limit_is_refused_before_anything_is_read() {
        let header = u32::try_from(LIMIT + 1).unwrap().to_le_bytes();
        let error = read::<String>(&mut header.as_slice()).unwrap_err();
        assert!(matches!(error, FrameError::TooLong { length } if length == LIMIT + 1), "{error}");
    }

    #[test]
    fn json_of_another_form_is_an_error() {
        let wire = encode(&[1, 2]).unwrap();
        assert!(matches!(read::<String>(&mut wire.as_slice()), Err(FrameError::Malformed(_))));
    }
}
