//! Bytes that are read from the front, as LLVM writes them.

use super::unreadable::Unreadable;

/// What is left to read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bytes<'a>(pub(super) &'a [u8]);

impl<'a> Bytes<'a> {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The next bytes.
    pub(super) fn take(&mut self, length: usize) -> Result<&'a [u8], Unreadable> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or(Unreadable::CutShort)?;
        self.0 = rest;
        Ok(taken)
    }

    /// Goes on at the next multiple of eight, seen from the beginning of `whole`; that may be behind its end.
    pub(super) fn align(&mut self, whole: &'a [u8]) {
        let read = whole.len() - self.0.len();
        let skipped = read.next_multiple_of(8) - read;
        self.0 = self.0.get(skipped..).unwrap_or_default();
    }

    pub(super) fn u32(&mut self) -> Result<u32, Unreadable> {
        self.array().map(u32::from_le_bytes)
    }

    pub(super) fn u64(&mut self) -> Result<u64, Unreadable> {
        self.array().map(u64::from_le_bytes)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Unreadable> {
        self.take(N)?.try_into().map_err(|_| Unreadable::CutShort)
    }

    /// A number of any length: seven bits a byte, the lowest first (LEB128).
    pub(super) fn number(&mut self) -> Result<u64, Unreadable> {
        let mut value = 0;
        for shift in (0..u64::BITS).step_by(7) {
            let byte = self.take(1)?.first().copied().ok_or(Unreadable::CutShort)?;
            let bits = u64::from(byte & 0x7f);
            if bits.leading_zeros() < shift {
                break;
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(Unreadable::Contradiction("a number has more than 64 bits"))
    }

    /// The same, where it has 32 bits at most.
    pub(super) fn small(&mut self) -> Result<u32, Unreadable> {
        u32::try_from(self.number()?).map_err(|_| Unreadable::Contradiction("a number has more than 32 bits"))
    }

    /// The same, where it says how many of something follow that take a byte at least each.
    pub(super) fn count(&mut self) -> Result<usize, Unreadable> {
        let count = usize::try_from(self.number()?).unwrap_or(usize::MAX);
        if count > self.0.len() { Err(Unreadable::CutShort) } else { Ok(count) }
    }
}

#[cfg(test)]
mod tests {
    use super::Bytes;
    use crate::engine::native::counts::unreadable::Unreadable;

    #[test]
    fn numbers_are_read() {
        let read = |bytes: &[u8]| Bytes(bytes).number();
        assert_eq!(read(&[0]), Ok(0));
        assert_eq!(read(&[0x7f]), Ok(127));
        assert_eq!(read(&[0x80, 1]), Ok(128));
        assert_eq!(read(&[0xe5, 0x8e, 0x26, 9]), Ok(624_485));
        assert_eq!(read(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1]), Ok(u64::MAX));
        let long = Err(Unreadable::Contradiction("a number has more than 64 bits"));
        assert_eq!(read(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2]), long);
        assert_eq!(read(&[0x80; 11]), long);
        assert_eq!(read(&[]), Err(Unreadable::CutShort));
        assert_eq!(read(&[0x80]), Err(Unreadable::CutShort));
        assert!(Bytes(&[0x80, 0x80, 0x80, 0x80, 0x10]).small().is_err());
        assert_eq!(Bytes(&[3, 0, 0]).count(), Err(Unreadable::CutShort));
    }

    #[test]
    fn what_follows_begins_at_a_multiple_of_eight() {
        let whole = [0, 0, 0, 0, 0, 0, 0, 0, 7, 0];
        let mut bytes = Bytes(&whole);
        bytes.take(3).unwrap();
        bytes.align(&whole);
        assert_eq!(bytes.0, [7, 0]);
        bytes.align(&whole);
        assert_eq!(bytes.0, [7, 0]);
        bytes.take(1).unwrap();
        bytes.align(&whole);
        assert!(bytes.is_empty());
    }
}
