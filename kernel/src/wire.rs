//! Jupyter's messages as types: lenient with what comes in, exact in what goes out.
//!
//! No sockets here, and nothing that waits: bytes to values and values to bytes. `sockets` carries them.

pub(crate) mod connection;
pub(crate) mod cursor;
pub(crate) mod frames;
pub(crate) mod header;
pub(crate) mod message;
pub(crate) mod publish;
pub(crate) mod reply;
pub(crate) mod request;

#[cfg(test)]
mod hostile;
