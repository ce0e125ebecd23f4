//! The stack of each event, where nobody has written yet how it is found: all but x86-64.

use super::Caller;
use assay_link::watch::{Module, Site, Thread};

/// There are none.
pub(super) enum Stacks {}

pub(super) type Number = u32;

#[derive(Debug, Clone, Copy)]
pub(super) struct Walked;

impl Stacks {
    /// It cannot.
    pub(super) fn prepare(_: u32) -> Result<Self, String> {
        Err("on this processor it is not known how the stack is found at an allocation".to_owned())
    }

    pub(super) fn walk(&mut self, _: Caller) -> Walked {
        match *self {}
    }

    pub(super) fn has_room(&self, _: Walked) -> bool {
        match *self {}
    }

    pub(super) fn grow(&mut self, _: Walked) -> bool {
        match *self {}
    }

    pub(super) fn site(&mut self, _: Walked) -> Number {
        match *self {}
    }

    pub(super) fn allocated(&mut self, _: Number, _: u64, _: u32) {
        match *self {}
    }

    pub(super) fn freed(&mut self, _: Option<Number>, _: Option<Number>, _: u64, _: u32) {
        match *self {}
    }

    pub(super) fn peak(&mut self) {
        match *self {}
    }

    pub(super) fn after(&mut self, _: Number, _: i64) {
        match *self {}
    }

    pub(super) fn end(self) -> (Vec<Site>, Vec<Thread>, Vec<Module>) {
        match self {}
    }
}
