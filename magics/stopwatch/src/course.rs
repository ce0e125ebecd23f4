//! A measurement under way, taken from request to request.

use crate::clock::Clock;
use crate::desk::{Desk, Order};
use crate::lane::Lane;
use crate::measurement::Measurement;
use crate::observer::Observer;
use crate::session::Session;
use crate::settings::Settings;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

/// What is to be measured, and how.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Job {
    pub(crate) settings: Settings,
    /// Whether somebody can count allocations.
    pub(crate) counts: bool,
    /// Whether the code runs once before everything else, and its result is kept.
    pub(crate) keeps: bool,
    /// The size at which this is measured, in a sweep.
    pub(crate) size: Option<u64>,
}

/// A measurement that gives an `R`.
pub(crate) struct Course<'a, R> {
    desk: Rc<Desk>,
    future: Pin<Box<dyn Future<Output = R> + 'a>>,
}

/// Where a measurement is.
pub(crate) enum Step<R> {
    /// This is to be answered.
    Ask(Order),
    /// It is over. It is not to be asked again.
    Over(R),
}

impl<'a, R> Course<'a, R> {
    pub(crate) fn new(desk: Rc<Desk>, future: impl Future<Output = R> + 'a) -> Self {
        Self { desk, future: Box::pin(future) }
    }

    /// Goes on to the next request. If the latest is not answered, it is that one again.
    ///
    /// Nobody is to be woken: what it waits for lies at the desk before it is asked again, or it does not.
    pub(crate) fn step(&mut self) -> Step<R> {
        match self.future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(result) => Step::Over(result),
            Poll::Pending => Step::Ask(self.desk.order()),
        }
    }
}

/// One piece of code, from its first run to its end.
pub(crate) async fn alone(
    desk: &Desk,
    job: Job,
    wall: &dyn Clock,
    observer: &mut dyn Observer,
) -> Measurement {
    let mut lanes = [Lane::new(desk, 0, wall, &job.settings).await];
    let end = Session::new(job, wall, observer, &mut lanes).run().await;
    let [lane] = lanes;
    lane.finish(end)
}

/// Several pieces of code in turns.
pub(crate) async fn in_turns(
    desk: &Desk,
    job: Job,
    count: usize,
    wall: &dyn Clock,
    observer: &mut dyn Observer,
) -> Vec<Measurement> {
    let mut lanes = Vec::with_capacity(count);
    for lane in 0..count {
        lanes.push(Lane::new(desk, lane, wall, &job.settings).await);
    }
    let end = Session::new(job, wall, observer, &mut lanes).run().await;
    lanes.into_iter().map(|lane| lane.finish(end)).collect()
}
