//! The loops around code that stands in the middle of other code. Beside those [over inputs](crate::run_each) they are what the compiler builds with it; all else is compiled once.
//!
//! What a figure contains is what it contains in [`Plain`](crate::Plain): the result passes `black_box` and is dropped within the loop, and the code passes `black_box` once before it. Of code that may
//! fail the question whether it did is within the loop too, and of code that waits what keeps its place while it does.

use crate::clock::Clock;
use crate::routine::{Counter, Counts, Size, counted, timed};
use std::future::poll_fn;
use std::hint::black_box;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

/// Runs `body` as often as `size` says, and returns what the clock counted.
pub fn run_plain<C: Clock + ?Sized, T>(clock: &C, size: Size, mut body: impl FnMut() -> T) -> Duration {
    timed(clock, size.iterations, &mut body)
}

/// The same with code that may fail. Err: what it failed with, and it did not run again.
pub fn run_fallible<C: Clock + ?Sized, T, E>(
    clock: &C,
    size: Size,
    mut body: impl FnMut() -> Result<T, E>,
) -> Result<Duration, E> {
    timed_fallible(clock, size.iterations, &mut body)
}

/// Never inlined, as the loop around code that does not fail.
#[inline(never)]
fn timed_fallible<C: Clock + ?Sized, T, E>(
    clock: &C,
    iterations: u64,
    body: &mut impl FnMut() -> Result<T, E>,
) -> Result<Duration, E> {
    let body = black_box(body);
    let start = clock.now();
    for _ in 0..iterations {
        black_box(body()?);
    }
    Ok(clock.now().saturating_sub(start))
}

/// The same with code that may wait. What passes while it waits is counted, whoever else runs meanwhile.
pub async fn run_async<C: Clock + ?Sized, T>(
    clock: &C,
    size: Size,
    mut body: impl AsyncFnMut() -> T,
) -> Duration {
    apart(async {
        let body = black_box(&mut body);
        let start = clock.now();
        for _ in 0..size.iterations {
            black_box(body().await);
        }
        clock.now().saturating_sub(start)
    })
    .await
}

/// The same with code that may wait and fail.
pub async fn run_fallible_async<C: Clock + ?Sized, T, E>(
    clock: &C,
    size: Size,
    mut body: impl AsyncFnMut() -> Result<T, E>,
) -> Result<Duration, E> {
    apart(async {
        let body = black_box(&mut body);
        let start = clock.now();
        for _ in 0..size.iterations {
            black_box(body().await?);
        }
        Ok(clock.now().saturating_sub(start))
    })
    .await
}

/// The same future, of which the code is the same wherever it is awaited. `inline(never)` on an async function would say that of making the future alone.
async fn apart<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    poll_fn(|context| poll_apart(future.as_mut(), context)).await
}

#[inline(never)]
fn poll_apart<F: Future>(future: Pin<&mut F>, context: &mut Context<'_>) -> Poll<F::Output> {
    future.poll(context)
}

/// Runs `body` once with the counter on.
pub fn count_plain<T>(counter: &mut dyn Counter, mut body: impl FnMut() -> T) -> Counts {
    counted(counter, &mut body)
}

/// The same with code that may fail.
pub fn count_fallible<T, E>(
    counter: &mut dyn Counter,
    mut body: impl FnMut() -> Result<T, E>,
) -> Result<Counts, E> {
    counter.start();
    let result = body().map(|result| drop(black_box(result)));
    let counts = counter.stop();
    result.map(|()| counts)
}

/// The same with code that may wait. What others ask of the heap meanwhile is counted with it.
pub async fn count_async<T>(counter: &mut dyn Counter, mut body: impl AsyncFnMut() -> T) -> Counts {
    counter.start();
    black_box(body().await);
    counter.stop()
}

/// The same with code that may wait and fail.
pub async fn count_fallible_async<T, E>(
    counter: &mut dyn Counter,
    mut body: impl AsyncFnMut() -> Result<T, E>,
) -> Result<Counts, E> {
    counter.start();
    let result = body().await.map(|result| drop(black_box(result)));
    let counts = counter.stop();
    result.map(|()| counts)
}
