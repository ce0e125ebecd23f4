//! Where the time of cells goes, in the process that runs them.

use super::{Bench, Ended, Errand, Page, fine};
use crate::engine::{Host, Output};
use assay_link::watch::{Clock, Lens, Samples, Seen, Stack, Watched};
use object::{Object, ObjectSymbol};
use std::path::Path;
use std::sync::Arc;

const ITEMS: &str = "
    use std::hint::black_box;
    #[inline(never)] fn spin(turns: u64) -> u64 { (0..turns).fold(black_box(1), |sum: u64, turn| sum.wrapping_mul(6364136223846793005) ^ turn) }
    #[inline(never)] fn hot(turns: u64) { black_box(spin(7 * turns)); }
    #[inline(never)] fn warm(turns: u64) { black_box(spin(2 * turns)); }
    #[inline(never)] fn cool(turns: u64) { black_box(spin(turns)); }
    #[inline(never)] fn words(turns: u64) { for turn in 0..turns { black_box(turn.to_string().replace('1', \"one\").to_uppercase()); } }
";

/// Runs this, watched, and gives what was seen of it.
async fn watched(bench: &mut Bench, clock: Clock, body: &str) -> (Watched, std::path::PathBuf) {
    let body = format!("::assay::measure::profile::begin(7); {body} ::assay::measure::profile::end();");
    let (library, entry) = bench.compile(ITEMS, "", &body, "");
    let lens = Lens::Samples { clock, period: 497_000 };
    let errand = Errand { lens, ..Errand::new(std::slice::from_ref(&library), Some(&entry)) };
    let page = Page::new([]);
    let ended = bench.child.run(errand, Arc::clone(&page) as Arc<dyn Host>).await;
    assert_eq!((ended, page.stderr().as_str()), (fine(), ""));
    let shown = page.shown.borrow();
    let mut seen = shown.iter().filter_map(|output| match output {
        Output::Watched { id: 7, what } => Some(Watched::clone(what)),
        _ => None,
    });
    (seen.next().unwrap(), library)
}

fn samples(watched: &Watched) -> &Samples {
    match &watched.seen {
        Seen::Samples(samples) => samples,
        other => panic!("{other:?}"),
    }
}

fn count<'a>(stacks: impl IntoIterator<Item = &'a Stack>) -> u64 {
    stacks.into_iter().map(|stack| stack.samples).sum()
}

/// The stacks that are in the function of this name in the library.
fn within<'a>(samples: &'a Samples, library: &Path, name: &str) -> impl Iterator<Item = &'a Stack> {
    let bytes = std::fs::read(library).unwrap();
    let file = object::File::parse(&*bytes).unwrap();
    let mangled = format!("{}{name}", name.len());
    let function =
        file.symbols().find(|symbol| symbol.name().is_ok_and(|name| name.contains(&mangled))).unwrap();
    let range = function.address()..function.address() + function.size();
    let module = samples.modules.iter().position(|module| Path::new(&module.path) == library).unwrap();
    samples.stacks.iter().filter(move |stack| {
        stack.trace.frames.iter().any(|(index, address)| *index as usize == module && range.contains(address))
    })
}

fn check_complete(samples: &Samples) {
    let complete = count(samples.stacks.iter().filter(|stack| stack.trace.complete));
    assert!(complete as f64 >= 0.98 * count(&samples.stacks) as f64, "{complete}");
}

#[tokio::test]
async fn the_time_of_a_cell_is_where_it_was_spent() {
    let mut bench = Bench::new().await;
    let body = "let began = std::time::Instant::now();
        while began.elapsed().as_millis() < 700 { hot(500); warm(500); cool(500); }";
    for clock in [Clock::Processor, Clock::Wall] {
        let (watched, library) = watched(&mut bench, clock, body).await;
        let samples = samples(&watched);
        check_complete(samples);
        let all = count(samples.stacks.iter().filter(|stack| stack.thread == 0));
        for (name, share) in [("hot", 0.7), ("warm", 0.2), ("cool", 0.1)] {
            let found = count(within(samples, &library, name)) as f64 / all as f64;
            let spread = f64::sqrt(share * (1.0 - share) / all as f64);
            // On the wall, a thread that waits for a processor is seen where it waits, many times.
            let more = if clock == Clock::Wall { 0.2 } else { 0.02 };
            assert!((found - share).abs() < 5.0 * spread + more, "{name} {found} of {all}");
        }
        assert_eq!((samples.threads[0].name.as_str(), watched.runs, watched.finished), ("main", 1, true));
        // Nobody of the process's own is among them.
        assert_eq!(samples.threads.len(), 1, "{:?}", samples.threads);
        assert!(watched.wall >= 700_000_000 && watched.user > 0);
    }
}

#[tokio::test]
async fn threads_that_a_cell_starts_are_seen_and_their_stacks_are_complete() {
    let mut bench = Bench::new().await;
    let body = "let began = std::time::Instant::now();
        while began.elapsed().as_millis() < 700 {
            std::thread::scope(|scope| { for _ in 0..2 { std::thread::Builder::new().name(\"short\".into()).spawn_scoped(scope, || words(3000)).unwrap(); } });
        }";
    let (watched, library) = watched(&mut bench, Clock::Processor, body).await;
    let samples = samples(&watched);
    check_complete(samples);
    let seen = count(within(samples, &library, "words"));
    assert!(seen > 50, "{seen}");
    assert!(samples.threads.iter().skip(1).any(|thread| thread.name == "short"), "{:?}", samples.threads);
}

#[tokio::test]
async fn samples_are_taken_in_a_copy_that_took_over_and_none_is_left() {
    let mut bench = Bench::new().await;
    let page = Page::new([]);
    // One thread that is there before, and stays.
    let body = "std::thread::Builder::new().name(\"beside\".into()).spawn(|| loop { std::hint::black_box(vec![1u8; 1000]); })?;";
    assert_eq!(bench.run(&page, body).await, fine());
    for _ in 0..3 {
        bench.child.stand().await.unwrap();
        let ended = bench.run(&page, "std::process::abort();").await;
        assert!(matches!(ended, Ended::Restored(_)), "{ended:?}");
        let body =
            "let began = std::time::Instant::now(); while began.elapsed().as_millis() < 300 { hot(500); }";
        let (watched, _) = watched(&mut bench, Clock::Processor, body).await;
        let samples = samples(&watched);
        let names: Vec<_> = samples.threads.iter().map(|thread| thread.name.as_str()).collect();
        assert_eq!(names, ["main", "beside"]);
        let left = "for entry in std::fs::read_dir(\"/proc/self/fd\")? {
            let link = std::fs::read_link(entry?.path()).unwrap_or_default();
            assert!(!link.to_string_lossy().contains(\"perf_event\"), \"{link:?}\");
        }";
        assert_eq!(bench.run(&page, left).await, fine());
    }
}
