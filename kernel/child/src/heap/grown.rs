//! A list in mapped memory.

use super::mapped::{Mapped, Plain};
use std::ops::{Deref, DerefMut};

/// Values that come one after the other, with room for twice as many whenever it is full.
pub(super) struct Grown<T: Plain> {
    room: Mapped<T>,
    count: usize,
}

impl<T: Plain> Grown<T> {
    pub(super) fn of(room: usize) -> Option<Self> {
        Some(Self { room: Mapped::of(room)?, count: 0 })
    }

    /// Whether so many more have room as it is.
    pub(super) fn has_room(&self, more: usize) -> bool {
        self.room.len() - self.count >= more
    }

    /// Makes room for so many more at least. False if there is no memory.
    pub(super) fn grow(&mut self, more: usize) -> bool {
        let wanted = (self.count + more).max(2 * self.room.len());
        let Some(mut larger) = Mapped::of(wanted) else { return false };
        larger[..self.count].copy_from_slice(&self.room[..self.count]);
        self.room = larger;
        true
    }

    /// Adds these, for which there is room; they are left out otherwise.
    pub(super) fn add(&mut self, values: &[T]) {
        if self.has_room(values.len()) {
            let end = self.count + values.len();
            self.room[self.count..end].copy_from_slice(values);
            self.count = end;
        }
    }
}

impl<T: Plain> Deref for Grown<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.room[..self.count]
    }
}

impl<T: Plain> DerefMut for Grown<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.room[..self.count]
    }
}

#[cfg(test)]
mod tests {
    use super::Grown;

    #[test]
    fn it_keeps_its_values_as_it_grows() {
        let mut grown = Grown::<u32>::of(2).unwrap();
        for number in 0..5000 {
            if !grown.has_room(1) {
                assert!(grown.grow(1));
            }
            grown.add(&[number]);
        }
        assert!(grown.iter().copied().eq(0..5000));
    }
}
