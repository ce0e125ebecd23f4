//! What the kernel and the processes that it starts say to each other: messages as types, and how they stand on the wire.
//!
//! Nothing here opens a socket, starts a process or knows of Jupyter. Each kind of process has a module with its vocabulary;
//! all of them share [`frame`], [`text`] and [`version`].

pub mod evcxr;
pub mod frame;
pub mod keeper;
pub mod native;
pub mod text;
pub mod version;
pub mod watch;
