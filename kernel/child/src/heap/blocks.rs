//! Blocks that were allocated since the beginning: where each is, the size that was asked for, and by which stack. The C library rounds sizes, and does not tell what was asked for.
//!
//! A table with open addressing (Knuth, The Art of Computer Programming, volume 3, section 6.4, algorithms L and R): what is taken out leaves no mark, so the table is as fast after
//! a billion blocks as at first.

use super::mapped::{Mapped, Plain};

/// A block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Block {
    /// What was asked for, in bytes.
    pub(super) size: usize,
    pub(super) owner: Owner,
}

/// Whose a block is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Owner {
    /// The number of the site that allocated it.
    pub(super) site: u32,
    /// For how many blocks it stands there; 0 if its stack was not taken, and it is nobody's.
    pub(super) weight: u32,
}

// SAFETY: both are numbers.
#[expect(unsafe_code, reason = "see `Plain`")]
unsafe impl Plain for Owner {}

/// An address, and a size; no block is at address 0.
#[derive(Clone, Copy)]
struct Slot {
    address: usize,
    size: usize,
}

// SAFETY: both are numbers.
#[expect(unsafe_code, reason = "see `Plain`")]
unsafe impl Plain for Slot {}

pub(super) struct Blocks {
    slots: Mapped<Slot>,
    /// The blocks' owners, where there are any.
    owners: Option<Mapped<Owner>>,
    count: usize,
}

impl Blocks {
    /// Room for so many slots, a power of two. None if there is no memory.
    pub(super) fn of(room: usize, owned: bool) -> Option<Self> {
        let owners = if owned { Some(Mapped::of(room)?) } else { None };
        Some(Self { slots: Mapped::of(room)?, owners, count: 0 })
    }

    /// Whether there is room for one more: searches are short below five eighths.
    pub(super) fn has_room(&self) -> bool {
        self.count < self.slots.len() / 8 * 5
    }

    /// A table of twice the size with the same blocks. None if there is no memory.
    pub(super) fn grown(&self) -> Option<Self> {
        let mut larger = Self::of(self.slots.len() * 2, self.owners.is_some())?;
        for (index, slot) in self.slots.iter().enumerate().filter(|(_, slot)| slot.address != 0) {
            larger.put(slot.address, Block { size: slot.size, owner: self.owner(index) });
        }
        Some(larger)
    }

    /// Adds a block, for which there is room. If there was one at its address, it is given back.
    pub(super) fn put(&mut self, address: usize, block: Block) -> Option<Block> {
        let mut index = self.home(address);
        loop {
            let slot = self.slots[index];
            if slot.address == 0 || slot.address == address {
                let before = (slot.address != 0).then(|| Block { size: slot.size, owner: self.owner(index) });
                self.count += usize::from(before.is_none());
                self.set(index, Slot { address, size: block.size }, block.owner);
                return before;
            }
            index = self.after(index);
        }
    }

    /// Takes out the block at this address; none if it is not from here.
    pub(super) fn take(&mut self, address: usize) -> Option<Block> {
        let mut index = self.home(address);
        while self.slots[index].address != address {
            if self.slots[index].address == 0 {
                return None;
            }
            index = self.after(index);
        }
        let taken = Block { size: self.slots[index].size, owner: self.owner(index) };
        self.close(index);
        self.count -= 1;
        Some(taken)
    }

    /// Fills a gap, so that whoever searches finds what lies behind it.
    fn close(&mut self, mut gap: usize) {
        let mut index = self.after(gap);
        loop {
            let slot = self.slots[index];
            if slot.address == 0 {
                return self.set(gap, Slot { address: 0, size: 0 }, Owner::default());
            }
            // It may move to the gap if that is not before its home.
            let mask = self.slots.len() - 1;
            let (from_home, from_gap) =
                (index.wrapping_sub(self.home(slot.address)) & mask, index.wrapping_sub(gap) & mask);
            if from_home >= from_gap {
                self.set(gap, slot, self.owner(index));
                gap = index;
            }
            index = self.after(index);
        }
    }

    fn set(&mut self, index: usize, slot: Slot, owner: Owner) {
        self.slots[index] = slot;
        if let Some(owners) = &mut self.owners {
            owners[index] = owner;
        }
    }

    fn owner(&self, index: usize) -> Owner {
        self.owners.as_ref().map_or_else(Owner::default, |owners| owners[index])
    }

    fn after(&self, index: usize) -> usize {
        (index + 1) & (self.slots.len() - 1)
    }

    /// Multiplicative hashing: The Art of Computer Programming, volume 3, section 6.4. The last bits of all addresses are the same.
    fn home(&self, address: usize) -> usize {
        let hash = (address as u64 >> 4).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        (hash >> (64 - self.slots.len().trailing_zeros())) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::{Block, Blocks, Owner};
    use std::collections::HashMap;

    #[test]
    fn it_knows_what_a_map_knows() {
        let mut blocks = Blocks::of(8, true).unwrap();
        let mut map = HashMap::new();
        let mut random = 1_u64;
        for size in 0..100_000 {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let address = 16 * (1 + (random >> 33) as usize % 3000);
            if random >> 63 == 0 {
                if !blocks.has_room() {
                    blocks = blocks.grown().unwrap();
                }
                let owner = Owner { site: (random >> 40) as u32, weight: (random >> 50) as u32 };
                let block = Block { size, owner };
                assert_eq!(blocks.put(address, block), map.insert(address, block));
            } else {
                assert_eq!(blocks.take(address), map.remove(&address));
            }
        }
        assert_eq!(blocks.count, map.len());
        assert!(map.into_iter().all(|(address, block)| blocks.take(address) == Some(block)));
        assert_eq!(blocks.count, 0);
    }

    #[test]
    fn nobody_is_owned_where_nobody_asks() {
        let mut blocks = Blocks::of(8, false).unwrap();
        blocks.put(16, Block { size: 5, owner: Owner { site: 7, weight: 1 } });
        assert_eq!(blocks.take(16), Some(Block { size: 5, owner: Owner::default() }));
    }
}
