use super::{Fork, blocked, each_thread, hold, runs};
use rustix::process::{Pid, WaitOptions, waitpid};
use std::hint::black_box;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Barrier, Mutex};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

/// A process has one set of threads: these tests take turns where they share it.
static TURN: Mutex<()> = Mutex::new(());

/// Threads of all kinds, and what shows that they go on.
struct Crew {
    /// How far each is that works.
    steps: Arc<[AtomicU64; 4]>,
    stop: Arc<AtomicBool>,
    /// It answers with the number that comes after.
    asked: Sender<u64>,
    answers: Receiver<u64>,
    threads: Vec<JoinHandle<u64>>,
}

impl Crew {
    fn new() -> Self {
        let steps: Arc<[AtomicU64; 4]> = Arc::default();
        let stop = Arc::new(AtomicBool::new(false));
        let lock = Arc::new(Mutex::new(0_u64));
        let begun = Arc::new(Barrier::new(6));
        let work: [fn(&Mutex<u64>); 4] = [
            |_| drop(black_box(vec![1_u8; 70_000])),
            |lock| *lock.lock().unwrap() += 1,
            |_| std::thread::sleep(Duration::from_micros(50)),
            |_| drop(black_box(std::fs::read("/proc/self/comm"))),
        ];
        let mut threads = Vec::new();
        for (number, work) in work.into_iter().enumerate() {
            let (steps, stop, lock, begun) = (steps.clone(), stop.clone(), lock.clone(), begun.clone());
            let thread = move || {
                begun.wait();
                while !stop.load(Ordering::Relaxed) {
                    work(&lock);
                    steps[number].fetch_add(1, Ordering::Relaxed);
                }
                number as u64
            };
            threads.push(Builder::new().name(format!("crew {number}")).spawn(thread).unwrap());
        }
        let ((asked, questions), (answer, answers)) = (channel(), channel());
        let started = begun.clone();
        let answering = move || {
            started.wait();
            questions.iter().map(|question: u64| answer.send(question + 1)).filter(Result::is_ok).count()
                as u64
        };
        threads.push(Builder::new().name("crew that answers".into()).spawn(answering).unwrap());
        begun.wait();
        Self { steps, stop, asked, answers, threads }
    }

    /// Returns when each has made a step from now on.
    fn go_on(&self) {
        let before = self.steps.each_ref().map(|step| step.load(Ordering::Relaxed));
        while self.steps.iter().zip(before).any(|(step, before)| step.load(Ordering::Relaxed) == before) {
            std::thread::yield_now();
        }
        self.asked.send(41).unwrap();
        assert_eq!(self.answers.recv().unwrap(), 42);
    }

    /// What each returns.
    fn end(self) -> Vec<u64> {
        self.stop.store(true, Ordering::Relaxed);
        drop(self.asked);
        self.threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    }
}

/// The names of the crew that there is.
fn names() -> Vec<String> {
    let mut ids = Vec::new();
    each_thread(|id| {
        ids.push(id);
        Ok(())
    })
    .unwrap();
    // One that is not ours may end meanwhile.
    let name = |id| std::fs::read_to_string(format!("/proc/self/task/{id}/comm")).unwrap_or_default();
    let mut names: Vec<String> = ids.into_iter().map(name).filter(|name| name.starts_with("crew")).collect();
    names.sort();
    names
}

/// Copies the process so many times, each copy from the one before, and lets the last one end: 0 if all went well.
fn generations(crew: Crew, count: u64) -> i32 {
    let before = names();
    let hold = hold().unwrap();
    match hold.fork().unwrap() {
        Fork::Original(pid) => {
            assert_eq!(hold.release().len(), 0);
            crew.go_on();
            let pid = Pid::from_raw(pid.cast_signed());
            let (_, status) = waitpid(pid, WaitOptions::empty()).unwrap().unwrap();
            status.exit_status().unwrap_or(-1)
        }
        Fork::Copy => {
            let failed = hold.bring_back();
            crew.go_on();
            let same = names() == before;
            if failed > 0 || !same {
                return 2;
            }
            if count > 0 {
                return generations(crew, count - 1);
            }
            if crew.end() == [0, 1, 2, 3, 10] { 0 } else { 3 }
        }
    }
}

#[test]
#[expect(unsafe_code, reason = "a copy must not go on with the tests")]
fn threads_go_on_in_copies_of_copies() {
    let _turn = TURN.lock();
    let own = std::process::id();
    let outcome = generations(Crew::new(), 9);
    if std::process::id() != own {
        // SAFETY: it runs nothing of this process's.
        unsafe { libc::_exit(outcome) }
    }
    assert_eq!(outcome, 0);
}

#[test]
fn who_blocks_all_signals_is_not_waited_for() {
    let _turn = TURN.lock();
    let (begun, end) = (Arc::new(Barrier::new(2)), Arc::new(Barrier::new(2)));
    let (started, ended) = (begun.clone(), end.clone());
    let deaf = std::thread::spawn(move || {
        let before = super::block_signals();
        started.wait();
        ended.wait();
        super::restore_signals(&before);
    });
    begun.wait();
    assert_eq!(hold().unwrap().release().len(), 1);
    end.wait();
    deaf.join().unwrap();
    assert_eq!(hold().unwrap().release().len(), 0);
}

#[test]
fn what_the_kernel_says_of_a_thread_is_read() {
    let status = b"Name:\tx\nState:\tS (sleeping)\nSigPnd:\t1\nSigBlk:\t00000000000000a0\nSigIgn:\t0\n";
    assert_eq!((runs(status), blocked(status)), (false, Some(0xa0)));
    assert_eq!((runs(b"State:\tR (running)\n"), blocked(b"Name:\tx\n")), (true, None));
}
