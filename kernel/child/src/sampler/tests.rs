//! Work whose shares are known, in functions whose names are. How fast it goes is the machine's affair: what is compared are shares, and there is work until there are
//! samples enough.

use super::source::Way;
use super::{Session, signal, source, start, stop, threads};
use crate::unwind::DEEPEST;
use crate::unwind::names::Names;
use assay_link::watch::{Clock, Means, Samples, Seen, Stack};
use std::collections::BTreeMap;
use std::hint::black_box;
use std::mem::zeroed;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::channel;
use std::thread::{self, Builder};
use std::time::Duration;

const PERIOD: u64 = 497_000;

/// A process has one sampler: these tests take turns where they share it.
static TURN: Mutex<()> = Mutex::new(());

#[inline(never)]
fn spin(turns: u64) -> u64 {
    (0..turns)
        .fold(black_box(1), |sum: u64, turn| sum.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(turn))
}

#[inline(never)]
fn most(turns: u64) {
    black_box(spin(7 * turns));
}

#[inline(never)]
fn some(turns: u64) {
    black_box(spin(2 * turns));
}

#[inline(never)]
fn least(turns: u64) {
    black_box(spin(turns));
}

/// Some microseconds' work each time.
const TURNS: u64 = 500;

/// How samples are taken.
#[derive(Debug, Clone, Copy, PartialEq)]
enum How {
    Best,
    Signals,
    Timers,
    Wall,
}

impl How {
    fn begin(self) {
        match self {
            Self::Best => start(Clock::Processor, PERIOD).unwrap(),
            Self::Signals => with(Way::Signal),
            Self::Timers => with(Way::Timer),
            Self::Wall => start(Clock::Wall, PERIOD).unwrap(),
        }
    }
}

fn with(way: Way) {
    threads::start(|| Session::new(Clock::Processor, PERIOD, way)).unwrap();
}

fn seen() -> Samples {
    match stop() {
        Seen::Samples(samples) => samples,
        other => panic!("{other:?}"),
    }
}

/// Samples of this, which goes on until the calling thread has had so many periods of the processor, or of the wall's time.
fn samples(how: How, periods: u64, mut work: impl FnMut()) -> Samples {
    let now = || if how == How::Wall { source::monotonic() } else { source::processor() };
    how.begin();
    let end = now() + periods * PERIOD;
    while now() < end {
        work();
    }
    let samples = seen();
    assert_eq!(samples.period, PERIOD);
    samples
}

fn count<'a>(stacks: impl IntoIterator<Item = &'a Stack>) -> u64 {
    stacks.into_iter().map(|stack| stack.samples).sum()
}

/// That this part of these samples is what it should be, as far as chance goes: a fair instrument is outside once in a million times. On the wall, a thread that waits for a
/// processor is seen where it waits, many times.
#[track_caller]
fn check(how: How, part: u64, of: u64, share: f64) {
    let (found, spread) = (part as f64 / of as f64, (share * (1.0 - share) / of as f64).sqrt());
    let more = if how == How::Wall { 0.2 } else { 0.02 };
    assert!(
        of > 0 && (found - share).abs() < 5.0 * spread + more,
        "{how:?}: {part} of {of}, and not {share}"
    );
}

#[track_caller]
fn check_complete(samples: &Samples) {
    let complete = count(samples.stacks.iter().filter(|stack| stack.trace.complete));
    let all = count(&samples.stacks);
    assert!(complete as f64 >= 0.98 * all as f64, "{complete} of {all}");
    assert!(samples.lost <= all / 100, "{} lost", samples.lost);
}

#[test]
fn time_is_where_it_was_spent() {
    let _turn = TURN.lock();
    let names = Names::of_this();
    for how in [How::Best, How::Signals, How::Timers, How::Wall] {
        let samples = samples(how, 1000, || {
            most(TURNS);
            some(TURNS);
            least(TURNS);
        });
        check_complete(&samples);
        let own: Vec<_> = samples.stacks.iter().filter(|stack| stack.thread == 0).collect();
        let all = count(own.iter().copied());
        assert!((500..1500).contains(&all), "{how:?}: {all}");
        for (name, share) in [("most", 0.7), ("some", 0.2), ("least", 0.1)] {
            let of = own.iter().copied().filter(|stack| names.has(&samples, stack, name));
            check(how, count(of), all, share);
        }
        assert!(samples.spent > 0);
        assert_eq!(
            (samples.clock == Clock::Wall, samples.means == Means::Timers),
            match how {
                How::Best | How::Signals => (false, samples.means == Means::Timers),
                How::Timers => (false, true),
                How::Wall => (true, true),
            }
        );
    }
}

#[test]
fn stacks_are_complete_where_time_goes_in_the_c_library() {
    let _turn = TURN.lock();
    let words: Vec<String> =
        (0..2000).map(|n| format!("{n} words of no great length, and {n} more")).collect();
    for how in [How::Best, How::Signals, How::Timers] {
        let samples = samples(how, 400, || {
            let mut text = String::new();
            for word in &words {
                text += &word.replace("words", "nothing").to_uppercase();
            }
            let long = vec![1_u8; 300_000];
            black_box((text.find("nowhere"), long.clone()));
        });
        check_complete(&samples);
        let c = samples.modules.iter().position(|module| module.path.contains("/libc")).unwrap() as u32;
        let there = samples.stacks.iter().filter(|stack| stack.trace.frames[0].0 == c);
        assert!(count(there) > 20);
    }
}

/// Calls itself so often, and then works.
fn dive(depth: u64) {
    if depth == 0 {
        least(TURNS);
    } else {
        dive(depth - 1);
    }
    black_box(depth);
}

#[test]
fn deep_stacks_are_complete_and_too_deep_ones_are_not() {
    let _turn = TURN.lock();
    let names = Names::of_this();
    let deep = samples(How::Best, 200, || dive(700));
    check_complete(&deep);
    let most = deep.stacks.iter().map(|stack| names.times(&deep, stack, "dive")).max();
    assert_eq!(most, Some(701));
    let too_deep = samples(How::Best, 200, || dive(5000));
    let cut = count(too_deep.stacks.iter().filter(|stack| !stack.trace.complete));
    assert!(cut > 50);
    let longest = too_deep.stacks.iter().map(|stack| (stack.trace.frames.len(), !stack.trace.complete)).max();
    assert_eq!(longest, Some((DEEPEST, true)));
}

#[test]
fn each_thread_has_its_time() {
    let _turn = TURN.lock();
    let (done, names) = (AtomicBool::new(false), Names::of_this());
    let beside = || {
        while !done.load(Ordering::Relaxed) {
            some(TURNS);
        }
    };
    // One is there before, one comes later.
    for how in [How::Best, How::Signals, How::Timers] {
        done.store(false, Ordering::Relaxed);
        thread::scope(|scope| {
            Builder::new().name("early".into()).spawn_scoped(scope, beside).unwrap();
            let mut late = false;
            let samples = samples(how, 400, || {
                if !late {
                    Builder::new().name("late".into()).spawn_scoped(scope, beside).unwrap();
                    late = true;
                }
                most(TURNS);
            });
            done.store(true, Ordering::Relaxed);
            for name in ["early", "late"] {
                let index = samples.threads.iter().position(|thread| thread.name == name).unwrap();
                let of = || samples.stacks.iter().filter(|stack| stack.thread == index as u32);
                assert!(count(of()) > 20, "{how:?} {name} {:?}", samples.threads);
                let there = count(of().filter(|stack| names.has(&samples, stack, "some")));
                assert!(there as f64 >= 0.9 * count(of()) as f64);
            }
            assert_eq!(samples.threads[0].id, threads::own_id());
        });
    }
}

#[test]
fn threads_that_live_for_a_millisecond_are_seen_as_often_as_they_should() {
    let _turn = TURN.lock();
    let names = Names::of_this();
    for how in [How::Best, How::Signals, How::Timers] {
        let spent = AtomicU64::new(0);
        let short = || {
            let began = source::processor();
            while source::processor() - began < PERIOD * 2 / 3 {
                least(TURNS);
            }
            spent.fetch_add(source::processor() - began, Ordering::Relaxed);
        };
        how.begin();
        while spent.load(Ordering::Relaxed) < 400 * PERIOD {
            thread::scope(|scope| {
                scope.spawn(short);
                scope.spawn(short);
            });
        }
        let samples = seen();
        let found = count(samples.stacks.iter().filter(|stack| names.has(&samples, stack, "least")));
        let expected = spent.into_inner() as f64 / PERIOD as f64;
        let spread = expected.sqrt();
        assert!((found as f64 - expected).abs() < 6.0 * spread, "{how:?}: {found}, and not {expected}");
        check_complete(&samples);
    }
}

#[test]
fn who_sleeps_is_seen_on_the_wall_alone() {
    let _turn = TURN.lock();
    let (sender, receiver) = channel::<()>();
    let sleeper = Builder::new().name("sleeper".into()).spawn(move || receiver.recv()).unwrap();
    for (how, visible) in [(How::Best, false), (How::Signals, false), (How::Timers, false), (How::Wall, true)]
    {
        let samples = samples(how, 200, || most(TURNS));
        let index = samples.threads.iter().position(|thread| thread.name == "sleeper");
        let of = |index: usize| {
            let stacks = samples.stacks.iter().filter(move |stack| stack.thread == index as u32);
            (count(stacks.clone().filter(|stack| stack.trace.complete)), count(stacks))
        };
        let (complete, all) = index.map_or((0, 0), of);
        // It may not have come to its sleep at first.
        assert!(if visible { all > 100 } else { all < 5 }, "{how:?} {all}");
        assert!(complete as f64 >= 0.98 * all as f64);
    }
    // The one that runs the code, too.
    let samples = samples(How::Wall, 200, || thread::sleep(Duration::from_millis(20)));
    assert!(count(samples.stacks.iter().filter(|stack| stack.thread == 0)) > 100);
    drop(sender);
    assert!(sleeper.join().unwrap().is_err());
}

/// How often a handler of the user's was called.
static CALLED: AtomicU64 = AtomicU64::new(0);

extern "C" fn theirs(_: libc::c_int) {
    CALLED.fetch_add(1, Ordering::SeqCst);
}

/// A handler of the user's is installed for the signal.
#[expect(unsafe_code, reason = "a handler is installed")]
fn handle(signal: libc::c_int) {
    // SAFETY: the handler only adds to a number.
    unsafe { libc::signal(signal, theirs as extern "C" fn(libc::c_int) as libc::sighandler_t) };
}

/// Whether it is still there.
#[expect(unsafe_code, reason = "a handler is looked up")]
fn is_handled(signal: libc::c_int) -> bool {
    // SAFETY: all zeros are a value of this type, and there is room for it.
    let action = unsafe {
        let mut action: libc::sigaction = zeroed();
        libc::sigaction(signal, std::ptr::null(), &raw mut action);
        action
    };
    action.sa_sigaction == theirs as extern "C" fn(libc::c_int) as libc::sighandler_t
}

#[test]
fn nothing_is_left() {
    const SIGNALS: [libc::c_int; 2] = [signal::SIGNAL, libc::SIGPROF];
    let _turn = TURN.lock();
    let descriptors = || std::fs::read_dir("/proc/self/fd").unwrap().count();
    let timers = || std::fs::read_to_string("/proc/self/timers").map_or(0, |timers| timers.lines().count());
    let maps = || std::fs::read_to_string("/proc/self/maps").unwrap().lines().count();
    SIGNALS.into_iter().for_each(handle);
    for how in [How::Best, How::Signals, How::Timers, How::Wall] {
        drop(samples(how, 3, || least(TURNS)));
        let mapped = maps();
        (0..20).for_each(|_| drop(samples(how, 3, || least(TURNS))));
        assert!(maps() < mapped + 10);
        let before = (descriptors(), timers());
        for _ in 0..20 {
            let work = || {
                thread::scope(|scope| (0..3).for_each(|_| drop(scope.spawn(|| least(TURNS)))));
            };
            drop(samples(how, 3, work));
        }
        assert_eq!((descriptors(), timers()), before);
        assert!(SIGNALS.into_iter().all(is_handled));
    }
    assert_eq!(CALLED.load(Ordering::SeqCst), 0);
}

#[test]
#[expect(unsafe_code, reason = "a signal is raised")]
fn a_trap_that_is_not_ours_is_handled_as_before() {
    let _turn = TURN.lock();
    handle(signal::TRAP);
    let mut left = 10;
    drop(samples(How::Best, 50, || {
        most(TURNS);
        if left > 0 {
            left -= 1;
            // SAFETY: it is handled.
            unsafe { libc::raise(signal::TRAP) };
        }
    }));
    // SAFETY: as above.
    unsafe { libc::raise(signal::TRAP) };
    assert_eq!(CALLED.load(Ordering::SeqCst), 11);
}

#[test]
fn there_is_one_at_a_time() {
    let _turn = TURN.lock();
    assert!(matches!(stop(), Seen::Nothing { .. }));
    How::Best.begin();
    assert!(start(Clock::Wall, PERIOD).is_err());
    assert_eq!(seen().threads.len(), 1);
    assert!(matches!(stop(), Seen::Nothing { .. }));
}

#[test]
fn samples_are_taken_again_and_again_while_threads_come_and_go() {
    let _turn = TURN.lock();
    let done = AtomicBool::new(false);
    let churn = || {
        while !done.load(Ordering::Relaxed) {
            thread::spawn(|| drop(black_box(vec![spin(TURNS); 1000]))).join().unwrap();
        }
    };
    thread::scope(|scope| {
        (0..3).for_each(|_| drop(scope.spawn(churn)));
        let mut all = BTreeMap::new();
        for (number, how) in
            [How::Best, How::Signals, How::Timers, How::Wall].into_iter().cycle().take(60).enumerate()
        {
            let samples = samples(how, 10, || most(TURNS));
            *all.entry(number % 4).or_insert(0) += count(&samples.stacks);
        }
        done.store(true, Ordering::Relaxed);
        assert!(all.values().all(|count| *count > 50), "{all:?}");
    });
}
