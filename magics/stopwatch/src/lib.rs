//! The loop beside user code: clock, calibration, samples. It measures and leaves judging to [`assay_statistics`]; it prints nothing, and knows nothing of notebooks.
//!
//! ```
//! use assay_stopwatch::{Each, Plain, Progress, Settings, Stopwatch, Wall};
//! use std::ops::ControlFlow;
//! use std::time::Duration;
//!
//! let wall = Wall::new();
//! let mut observer = |_: &Progress<'_>| ControlFlow::Continue(());
//! let settings = Settings { budget: Duration::from_millis(50), ..Settings::default() };
//! let mut stopwatch = Stopwatch::new(settings, &wall, &mut observer);
//!
//! let numbers: Vec<u64> = (0..1000).rev().collect();
//! let sum = stopwatch.measure(&mut Plain::new(&wall, || numbers.iter().sum::<u64>()));
//! let sort = stopwatch.measure(&mut Each::borrowing(&wall, || numbers.clone(), |numbers| numbers.sort()));
//! for measurement in [&sum, &sort] {
//!     assert!(measurement.samples()?.summary().median > 0.0);
//!     assert!(measurement.calls > 1 && !measurement.is_partial());
//! }
//!
//! let product = || numbers.iter().fold(1, |all: u64, one| all.wrapping_mul(*one));
//! let both = stopwatch.compare(&mut [
//!     &mut Plain::new(&wall, || numbers.iter().sum::<u64>()),
//!     &mut Plain::new(&wall, product),
//! ]);
//! assert_eq!(both[0].blocks.len(), both[1].blocks.len());
//! # Ok::<(), assay_statistics::NotSamples>(())
//! ```
//!
//! What is timed is a [`Routine`]: [`Plain`] code, code with a fresh input for [`Each`] iteration, or code [on several threads](on_threads). It is all that is compiled with the
//! user's code: the loop itself. A [`Stopwatch`] drives routines, and was compiled before. Code that may wait, or leave by `?`, stands in a loop of its own and takes [`Turns`]: the same measurement,
//! inside out. What happens, in order:
//!
//! 1. In a comparison whose results are kept each runs once for its result. The first run that is timed is kept apart.
//! 2. The code warms up, in batches that grow until they take as long as [`Settings::batch`] says. The least of the latest trials counts.
//! 3. Batches are measured, in blocks that are spread over the budget. The clock is read between batches, and the room for their times was made before; nothing else happens
//!    in a block. After a block the empty loop has its turn, and the [`Observer`] is asked whether to go on.
//! 4. After the first block allocations are counted, if there is a [`Counter`].
//! 5. It ends when the figure is sure, or the budget spent; if there is a [claim](Settings::claim), when that is decided, or three budgets spent.
//!
//! [`Measurement::calls`] tells how often all that made the code run.

mod clock;
mod course;
mod desk;
mod each;
mod gauge;
mod lane;
mod loops;
mod measurement;
mod observer;
mod routine;
mod session;
mod settings;
#[cfg(test)]
mod simulation;
mod stopwatch;
mod sweep;
mod threads;
mod turns;

pub use clock::{Clock, Precision, Wall};
pub use each::{
    Borrowing, Consuming, Each, Inputs, count_each, count_fallible_each, run_each, run_fallible_each,
};
pub use loops::{
    count_async, count_fallible, count_fallible_async, count_plain, run_async, run_fallible,
    run_fallible_async, run_plain,
};
pub use measurement::{Claimed, Counted, Ending, Measurement};
pub use observer::{Observer, Progress};
pub use routine::{Counter, Counts, Plain, Routine, Size};
pub use settings::Settings;
pub use stopwatch::Stopwatch;
pub use sweep::{Measure, Point, Sweep};
pub use threads::on_threads;
pub use turns::{Form, Instruments, Task, Turn, Turns};
