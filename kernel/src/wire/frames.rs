//! A message as ZeroMQ carries it: identities, a delimiter, a signature, four frames of JSON, buffers.
//!
//! What the frames say is not looked at here.

use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::fmt;

/// What stands between the identities and the message.
const DELIMITER: &[u8] = b"<IDS|MSG>";

/// A message whose signature has been checked, or will be made.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Frames {
    /// Where it came from or goes to; on iopub, its topic.
    pub(crate) identities: Vec<Bytes>,
    pub(crate) header: Bytes,
    pub(crate) parent_header: Bytes,
    pub(crate) metadata: Bytes,
    pub(crate) content: Bytes,
    pub(crate) buffers: Vec<Bytes>,
}

impl Frames {
    /// Takes a message apart and checks its signature.
    pub(crate) fn decode(mut frames: Vec<Bytes>, signer: &Signer) -> Result<Self, FrameError> {
        let delimiter = frames.iter().position(|frame| frame == DELIMITER).ok_or(FrameError::NoDelimiter)?;
        let message = frames.split_off(delimiter);
        frames.shrink_to_fit();
        let [_, signature, header, parent_header, metadata, content, buffers @ ..] = message.as_slice()
        else {
            return Err(FrameError::TooFew { found: message.len() - 1 });
        };
        signer.verify(signature, [header, parent_header, metadata, content])?;
        Ok(Self {
            identities: frames,
            header: header.clone(),
            parent_header: parent_header.clone(),
            metadata: metadata.clone(),
            content: content.clone(),
            buffers: buffers.to_vec(),
        })
    }

    /// Puts a message together and signs it.
    pub(crate) fn encode(self, signer: &Signer) -> Vec<Bytes> {
        let Self { identities, header, parent_header, metadata, content, buffers } = self;
        let signature = signer.sign([&header, &parent_header, &metadata, &content]);
        let message = [Bytes::from_static(DELIMITER), signature, header, parent_header, metadata, content];
        identities.into_iter().chain(message).chain(buffers).collect()
    }
}

/// Signs and verifies with the key of the connection file.
#[derive(Clone)]
pub(crate) struct Signer {
    /// None for an empty key: messages are not signed, and whatever signature comes is not looked at.
    mac: Option<Hmac<Sha256>>,
}

impl Signer {
    /// A signer with a key of any length; the empty key signs nothing.
    pub(crate) fn new(key: &str) -> Result<Self, FrameError> {
        if key.is_empty() {
            return Ok(Self { mac: None });
        }
        let mac = Hmac::new_from_slice(key.as_bytes()).map_err(|_| FrameError::Key)?;
        Ok(Self { mac: Some(mac) })
    }

    fn sign(&self, frames: [&Bytes; 4]) -> Bytes {
        match self.digest(frames) {
            Some(mac) => hex::encode(mac.finalize().into_bytes()).into(),
            None => Bytes::new(),
        }
    }

    fn verify(&self, signature: &Bytes, frames: [&Bytes; 4]) -> Result<(), FrameError> {
        let Some(mac) = self.digest(frames) else {
            return Ok(());
        };
        let signature = hex::decode(signature).map_err(|_| FrameError::Signature)?;
        mac.verify_slice(&signature).map_err(|_| FrameError::Signature)
    }

    fn digest(&self, frames: [&Bytes; 4]) -> Option<Hmac<Sha256>> {
        let mut mac = self.mac.clone()?;
        for frame in frames {
            mac.update(frame);
        }
        Some(mac)
    }
}

impl fmt::Debug for Signer {
    /// Never shows the key.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Signer").field("signs", &self.mac.is_some()).finish()
    }
}

/// Why frames are not a message of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FrameError {
    /// There is no `<IDS|MSG>`.
    NoDelimiter,
    /// Behind the delimiter there must be a signature and four frames.
    TooFew { found: usize },
    /// The signature was not made with our key.
    Signature,
    /// The key cannot be used.
    Key,
}

impl fmt::Display for FrameError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoDelimiter => write!(formatter, "no frame of the message is `<IDS|MSG>`"),
            Self::TooFew { found } => write!(
                formatter,
                "{found} frames follow `<IDS|MSG>`; a signature, header, parent header, metadata and content must"
            ),
            Self::Signature => write!(
                formatter,
                "the signature is wrong: the sender does not have the key of this kernel's connection file"
            ),
            Self::Key => write!(formatter, "the key of the connection file cannot sign messages"),
        }
    }
}

impl std::error::Error for FrameError {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    fn bytes() -> impl Strategy<Value = Bytes> {
        vec(any::<u8>(), 0..40).prop_map(Bytes::from)
    }

    fn message() -> impl Strategy<Value = Frames> {
        let identity = bytes().prop_filter("the delimiter is no identity", |frame| frame != DELIMITER);
        (vec(identity, 0..3), bytes(), bytes(), bytes(), bytes(), vec(bytes(), 0..3)).prop_map(
            |(identities, header, parent_header, metadata, content, buffers)| Frames {
                identities,
                header,
                parent_header,
                metadata,
                content,
                buffers,
            },
        )
    }

    fn check(frames: &[&'static [u8]], key: &str, expected: FrameError) {
        let frames = frames.iter().map(|frame| Bytes::from_static(frame)).collect();
        assert_eq!(Frames::decode(frames, &Signer::new(key).unwrap()), Err(expected));
    }

    #[test]
    fn truncated_messages_are_refused() {
        check(&[], "", FrameError::NoDelimiter);
        check(&[b"identity", b"{}"], "", FrameError::NoDelimiter);
        check(&[DELIMITER], "", FrameError::TooFew { found: 0 });
        check(&[b"identity", DELIMITER, b"", b"{}", b"{}", b"{}"], "", FrameError::TooFew { found: 4 });
        check(&[DELIMITER, b"", b"{}", b"{}", b"{}", b"{}"], "key", FrameError::Signature);
        check(&[DELIMITER, b"not hex", b"{}", b"{}", b"{}", b"{}"], "key", FrameError::Signature);
    }

    /// A message that Python's hmac module signed: `hmac.new(b"key", b'{"a":1}{}{}{"b":2}', "sha256").hexdigest()`.
    #[test]
    fn the_signature_is_that_of_other_implementations() {
        let message = Frames {
            header: Bytes::from_static(b"{\"a\":1}"),
            parent_header: Bytes::from_static(b"{}"),
            metadata: Bytes::from_static(b"{}"),
            content: Bytes::from_static(b"{\"b\":2}"),
            // Not part of what is signed.
            buffers: vec![Bytes::from_static(b"buffer")],
            ..Frames::default()
        };
        let frames = message.encode(&Signer::new("key").unwrap());
        assert_eq!(frames[1], "0206f42f4ae2a48f6054ab91271f90c100f7022f55fb1f23de6377624d533752");
    }

    #[test]
    fn a_signer_does_not_show_its_key() {
        assert_eq!(format!("{:?}", Signer::new("secret").unwrap()), "Signer { signs: true }");
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_decoded(message in message(), key in "[a-z]{0,80}") {
            let signer = Signer::new(&key).unwrap();
            let frames = message.clone().encode(&signer);
            prop_assert_eq!(Frames::decode(frames, &signer), Ok(message));
        }

        #[test]
        fn a_flipped_bit_is_refused(message in message(), frame in 1usize..6, at in any::<prop::sample::Index>(), bit in 0u8..8) {
            let signer = Signer::new("key").unwrap();
            let start = message.identities.len();
            let mut frames = message.encode(&signer);
            let mut changed = frames[start + frame].to_vec();
            prop_assume!(!changed.is_empty());
            let index = at.index(changed.len());
            changed[index] ^= 1 << bit;
            // Hexadecimal digits of the other case are the same signature.
            prop_assume!(frame != 1 || !changed.eq_ignore_ascii_case(&frames[start + 1]));
            frames[start + frame] = changed.into();
            prop_assert_eq!(Frames::decode(frames, &signer), Err(FrameError::Signature));
        }

        #[test]
        fn another_key_is_refused(message in message(), key in "[a-z]{1,80}") {
            let frames = message.encode(&Signer::new(&key).unwrap());
            prop_assert_eq!(Frames::decode(frames, &Signer::new("KEY").unwrap()), Err(FrameError::Signature));
        }
    }
}
