//! Cells that await, written by hand.

use super::{block_on, catch_async};
use crate::cell::{Flow, put, take};
use crate::progress;
use crate::run::{self, Failure, Run};
use crate::stop;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::task::{Poll, Waker};
use std::thread;

fn ran(cell: impl Future<Output = ()>) -> Run {
    let _turn = run::alone();
    run::begin();
    block_on(pin!(cell));
    run::end()
}

/// Is ready when another thread has said so, having parked this one's token away in the meantime.
async fn elsewhere() -> u8 {
    let (tell, told) = channel::<Waker>();
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

/// Is woken all the time, and says so often how often.
async fn restless(polled: &AtomicU32) {
    std::future::poll_fn(|context| {
        polled.fetch_add(1, Ordering::Relaxed);
        context.waker().wake_by_ref();
        Poll::<()>::Pending
    })
    .await;
}

/// What a cell keeps that waits for ever behind two bindings, when another thread has stopped it.
fn stopped_while(begun: &Sender<()>, forever: impl Future<Output = ()>) -> Run {
    ran(async {
        let x = 1u8;
        catch_async(pin!(async {
            let y = elsewhere().await;
            catch_async(pin!(async {
                begun.send(()).unwrap();
                forever.await;
                unreachable!();
                #[expect(unreachable_code, reason = "says what the block gives, as in every cell")]
                Flow::Ok(())
            }))
            .await;
            put(y, 1, "y");
            Flow::Ok(())
        }))
        .await;
        put(x, 0, "x");
    })
}

#[test]
fn a_cell_that_is_stopped_where_it_waits_keeps_what_was_bound_before() {
    let polled = AtomicU32::new(0);
    let forever: [Pin<Box<dyn Future<Output = ()> + Send>>; 2] =
        [Box::pin(std::future::pending()), Box::pin(restless(&polled))];
    for forever in forever {
        let (begun, begins) = channel();
        let run = thread::scope(|scope| {
            scope.spawn(move || {
                begins.recv().unwrap();
                // It may not have come to its wait yet; then it is asked again, which a user does too.
                while !stop::request() {
                    thread::yield_now();
                }
            });
            stopped_while(&begun, forever)
        });
        assert!(matches!(run.failure, Some(Failure::Interrupted)));
        let slots: Vec<u32> = run.kept.iter().map(|kept| kept.slot).collect();
        assert_eq!(slots, [1, 0]);
    }
    assert!(polled.into_inner() > 0);
}

#[test]
fn a_loop_in_a_cell_that_awaits_stops_too() {
    let mut done = 0;
    let run = ran(async {
        catch_async(pin!(async {
            for _ in progress(0..u64::MAX) {
                done += elsewhere().await;
                if done == 70 {
                    assert!(stop::request());
                }
            }
            Flow::Ok(())
        }))
        .await;
    });
    assert!(matches!(run.failure, Some(Failure::Interrupted)));
    assert_eq!(done, 70);
}
