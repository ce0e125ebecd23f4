//! A cell that is asked to end, on its own thread and by another.

use super::{Region, clear, goes_on, now, request, requested, waits};
use crate::cell::{Flow, catch, put};
use crate::progress;
use crate::run::{self, Failure, Run};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Wake, Waker};

fn ran(body: impl FnOnce() -> Flow) -> Run {
    let mut body = Some(body);
    let _turn = run::alone();
    run::begin();
    catch(&mut || body.take().map_or(Ok(()), |body| body()));
    let run = run::end();
    assert!(!requested());
    run
}

fn stopped(run: &Run) -> bool {
    matches!(run.failure, Some(Failure::Interrupted))
}

/// Asks from another thread, as the process does.
fn asked() -> bool {
    std::thread::spawn(request).join().unwrap()
}

#[test]
fn a_loop_stops_between_two_items_and_leaves_what_it_has_done() {
    let mut done = 0;
    let run = ran(|| {
        for item in progress(0..u64::MAX) {
            assert_eq!(item, done);
            done += 1;
            if done == 1000 {
                assert!(asked());
            }
        }
        unreachable!();
    });
    assert!(stopped(&run));
    assert_eq!(done, 1000);
}

#[test]
fn the_first_failure_counts_and_what_is_around_the_stop_is_put() {
    let run = ran(|| {
        catch(&mut || now());
        catch(&mut || -> Flow { panic!("later") });
        put(1u8, 0, "x");
        Ok(())
    });
    assert!(stopped(&run));
    assert_eq!(run.kept.len(), 1);
}

#[test]
fn a_cell_stands_where_it_can_stop_as_long_as_it_is_in_a_region() {
    let run = ran(|| {
        assert!(!asked());
        clear();
        let outer = Region::enter();
        drop(Region::enter());
        assert!(asked());
        clear();
        drop(outer);
        assert!(!asked());
        Ok(())
    });
    assert!(run.failure.is_none());
}

#[test]
fn another_thread_is_no_place_to_stop() {
    let run = ran(|| {
        let (tell, told) = std::sync::mpsc::channel();
        let (go, wait) = std::sync::mpsc::channel::<()>();
        let other = std::thread::spawn(move || {
            progress(0..10)
                .inspect(|_| {
                    tell.send(()).unwrap();
                    let _ = wait.recv();
                })
                .count()
        });
        told.recv().unwrap();
        assert!(!asked());
        drop(go);
        assert_eq!(other.join().unwrap(), 10);
        Ok(())
    });
    assert!(run.failure.is_none());
}

#[test]
fn what_an_earlier_cell_has_left_counts_when_it_goes_on() {
    let mut bar = progress(0..9);
    let run = ran(|| {
        bar.next();
        Ok(())
    });
    assert!(run.failure.is_none());
    let run = ran(|| {
        assert!(!asked());
        clear();
        bar.next();
        assert!(asked());
        bar.next();
        Ok(())
    });
    assert!(stopped(&run));
    assert!(format!("{bar:?}").contains("2/9"));
    // Outside of a run nobody stops.
    assert_eq!(bar.count(), 7);
}

#[test]
fn what_unwinds_does_not_stop() {
    struct Loops;
    impl Drop for Loops {
        fn drop(&mut self) {
            assert_eq!(progress(0..3).count(), 3);
        }
    }
    let run = ran(|| {
        let _loops = Loops;
        request();
        now()
    });
    assert!(stopped(&run));
}

/// Counts how often it is woken.
struct Counter(AtomicU32);

impl Wake for Counter {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn a_cell_that_awaits_is_woken() {
    let counter = Arc::new(Counter(AtomicU32::new(0)));
    let waker = Waker::from(Arc::clone(&counter));
    let count = || counter.0.load(Ordering::Relaxed);
    let run = ran(|| {
        waits(&waker);
        assert!(asked() && requested());
        assert_eq!(count(), 1);
        // It goes on for a moment, and while it does nobody is woken.
        goes_on();
        asked();
        assert_eq!(count(), 1);
        // Asked before it waits again, it goes on at once.
        waits(&waker);
        assert_eq!(count(), 2);
        Ok(())
    });
    assert!(run.failure.is_none());
    assert_eq!(Arc::strong_count(&counter), 2, "the run has ended, and the waker is gone");
}

#[test]
fn a_task_that_runs_while_the_cell_awaits_is_not_stopped() {
    let waker = Waker::noop();
    let run = ran(|| {
        waits(waker);
        request();
        assert_eq!(progress(0..3).count(), 3);
        goes_on();
        Region::enter().look();
        Ok(())
    });
    assert!(stopped(&run));
}
