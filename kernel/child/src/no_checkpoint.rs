//! Checkpoints, where nobody has made them yet: all but Linux on x86-64 with glibc. Their means are the system's own (threads that are made where others
//! stood), so there are none, and a cell that ends its process takes the variables with it.

use crate::cells::Taken;
use crate::kernel::Kernel;
use std::os::unix::net::UnixStream;

/// There is nothing to be done.
pub(crate) fn prepare() {}

/// Refuses.
pub(crate) fn take(_: &Kernel, _: &UnixStream) -> Taken {
    Taken::Refused("they are made on Linux (x86-64, glibc) alone".to_owned())
}
