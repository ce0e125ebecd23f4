//! Where a measurement asks for a run of the code and is told what came of it.
//!
//! A measurement is a future that waits for nothing but answers at its desk. So the code can stand anywhere: behind a [`Routine`](crate::Routine) that is called, or in a loop in the middle of
//! other code, see [`Turns`](crate::Turns). Asking and answering ask nothing of the heap.

use crate::clock::Precision;
use crate::routine::{Counts, Size};
use crate::turns::Task;
use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

/// A request at the desk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Order {
    /// Whose code, counted from 0.
    pub(crate) lane: usize,
    pub(crate) request: Request,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Request {
    /// For the code.
    Code(Task),
    /// A run of the loop with nothing in it.
    Empty(Size),
}

/// What is to be known of code before it runs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Introduction {
    /// How finely the clock that it is timed with can be read.
    pub(crate) clock: Precision,
    /// How many inputs may be ready at a time, if there are inputs.
    pub(crate) most_inputs: Option<u64>,
    /// On how many threads it is timed, each apart; 0 on one.
    pub(crate) threads: usize,
}

/// The latest request, and room for the answer to it. An answer to another question lies there and does no harm.
#[derive(Debug)]
pub(crate) struct Desk {
    order: Cell<Order>,
    introduction: Cell<Option<Introduction>>,
    elapsed: Cell<Option<Duration>>,
    /// What each thread took in the latest run.
    threads: RefCell<Vec<Duration>>,
    counts: Cell<Option<Counts>>,
    kept: Cell<Option<()>>,
}

impl Default for Desk {
    fn default() -> Self {
        Self {
            order: Cell::new(Order { lane: 0, request: Request::Code(Task::Introduce) }),
            introduction: Cell::default(),
            elapsed: Cell::default(),
            threads: RefCell::default(),
            counts: Cell::default(),
            kept: Cell::default(),
        }
    }
}

/// Asking.
impl Desk {
    pub(crate) async fn introduction(&self, lane: usize) -> Introduction {
        self.ask(lane, Request::Code(Task::Introduce), &self.introduction).await
    }

    /// What a run takes, by the clock of the code. What each thread took replaces what is in `threads`.
    pub(crate) async fn run(&self, lane: usize, size: Size, threads: &mut Vec<Duration>) -> Duration {
        let elapsed = self.ask(lane, Request::Code(Task::Run(size)), &self.elapsed).await;
        threads.clone_from(&self.threads.borrow());
        elapsed
    }

    pub(crate) async fn empty(&self, lane: usize, size: Size) -> Duration {
        self.ask(lane, Request::Empty(size), &self.elapsed).await
    }

    pub(crate) async fn count(&self, lane: usize) -> Counts {
        self.ask(lane, Request::Code(Task::Count), &self.counts).await
    }

    pub(crate) async fn keep(&self, lane: usize) {
        self.ask(lane, Request::Code(Task::Once), &self.kept).await;
    }

    async fn ask<T>(&self, lane: usize, request: Request, answer: &Cell<Option<T>>) -> T {
        self.order.set(Order { lane, request });
        answer.set(None);
        poll_fn(|_| answer.take().map_or(Poll::Pending, Poll::Ready)).await
    }
}

/// Answering.
impl Desk {
    /// What was asked last.
    pub(crate) fn order(&self) -> Order {
        self.order.get()
    }

    pub(crate) fn introduce(&self, introduction: Introduction) {
        self.introduction.set(Some(introduction));
    }

    pub(crate) fn done(&self, elapsed: Duration, threads: &[Duration]) {
        let mut latest = self.threads.borrow_mut();
        latest.clear();
        latest.extend_from_slice(threads);
        self.elapsed.set(Some(elapsed));
    }

    pub(crate) fn counted(&self, counts: Counts) {
        self.counts.set(Some(counts));
    }

    pub(crate) fn kept(&self) {
        self.kept.set(Some(()));
    }
}
