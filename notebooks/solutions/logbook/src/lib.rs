//! The logbook of a web shop: reads the access log of a day, and writes the report that lies on the
//! desk in the morning.
//!
//! ```
//! let log = logbook::sample(1_000);
//! let report = logbook::analyse(&log)?;
//! println!("{}", report.text());
//! # Ok::<(), logbook::ParseError>(())
//! ```
//!
//! A line of the log is a request: time, address, session, method, path, status, bytes sent, and the
//! microseconds that the answer took. The lines are in the order of time.

mod entry;
mod render;
mod report;
mod sample;
mod visitors;

pub use entry::ParseError;
pub use report::{Hour, Page, Percentile, Report, Request, Session, Window, analyse};
pub use sample::{sample, sample_of};
pub use visitors::{region, remembered};
