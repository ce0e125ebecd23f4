//! Cells that await, written by hand.

use super::{block_on, catch_async};
use crate::cell::{Flow, put, take};
use crate::run::{self, Failure, Run};
use std::pin::pin;
use std::task::{Poll, Waker};
use std::thread;

fn ran(cell: impl Future<Output = ()>) -> Run {
    run::begin();
    block_on(pin!(cell));
    run::end()
}

/// Is ready when another thread has said so, having parked this one's token away in the meantime.
async fn elsewhere() -> u8 {
    let (tell, told) = std::sync::mpsc::channel::<Waker>();
    let other = thread::spawn(move || {
        let waker = told.recv().unwrap();
        waker.wake_by_ref();
        waker.wake();
    });
    let mut asked = false;
    std::future::poll_fn(move |context| {
        thread::current().unpark();
        thread::park();
        if std::mem::replace(&mut asked, true) {
            return Poll::Ready(());
        }
        tell.send(context.waker().clone()).unwrap();
        Poll::Pending
    })
    .await;
    other.join().unwrap();
    7
}

#[test]
fn a_cell_waits_for_other_threads() {
    let run = ran(async {
        let x = elsewhere().await + elsewhere().await;
        put(x, 0, "x");
    });
    assert!(run.failure.is_none());
    assert_eq!(take::<u8>("x"), 14);
}

#[test]
fn a_part_that_fails_after_it_waited_costs_nothing_that_was_bound_before() {
    let check = |part: fn() -> Flow, failed: fn(&Failure) -> bool| {
        let run = ran(async {
            let y = elsewhere().await;
            catch_async(pin!(async {
                elsewhere().await;
                part()?;
                unreachable!();
                #[expect(unreachable_code, reason = "says what the block gives, as in every cell")]
                Flow::Ok(())
            }))
            .await;
            put(y, 0, "y");
        });
        assert!(run.failure.is_some_and(|failure| failed(&failure)));
        assert_eq!(take::<u8>("y"), 7);
    };
    check(|| panic!("no"), |failure| matches!(failure, Failure::Panic(seen) if seen.message == "no"));
    check(|| Ok("".parse::<u8>().map(drop)?), |failure| matches!(failure, Failure::Question(_)));
}
