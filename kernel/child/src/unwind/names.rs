//! The names of this program's own functions, for tests.

use assay_link::watch::{Samples, Stack};
use object::{Object, ObjectSymbol};
use std::collections::BTreeMap;
use std::path::Path;

/// By their addresses.
pub(crate) struct Names(BTreeMap<u64, (u64, String)>);

impl Names {
    pub(crate) fn of_this() -> Self {
        let bytes = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        let file = object::File::parse(&*bytes).unwrap();
        let functions = file.symbols().filter(|symbol| symbol.size() > 0);
        Self(functions.map(|one| (one.address(), (one.size(), one.name().unwrap().to_owned()))).collect())
    }

    /// Whether this address, as the file has it, is in the function of that name.
    pub(crate) fn is_in(&self, address: u64, name: &str) -> bool {
        let Some((start, (size, mangled))) = self.0.range(..=address).next_back() else { return false };
        // Names are mangled with their length in front, and followed by a hash or the end.
        address < start + size
            && mangled.contains(&format!("{}{name}", name.len()))
            && !mangled.contains("closure")
    }

    /// How many frames of the stack are in the function of that name.
    pub(crate) fn times(&self, samples: &Samples, stack: &Stack, name: &str) -> usize {
        let own = std::env::current_exe().unwrap();
        let here = |index: u32| Path::new(&samples.modules[index as usize].path) == own;
        let frames = stack.trace.frames.iter();
        frames.filter(|(module, address)| here(*module) && self.is_in(*address, name)).count()
    }

    pub(crate) fn has(&self, samples: &Samples, stack: &Stack, name: &str) -> bool {
        self.times(samples, stack, name) > 0
    }
}
