//! Stacks of this program's own, whose frames are known.

use super::names::Names;
use super::{DEEPEST, Unwinder};
use std::hint::black_box;

/// Calls itself so often, and then something.
#[inline(never)]
fn dive(depth: u32, bottom: &mut dyn FnMut()) {
    let room = black_box([depth; 40]);
    if depth == 0 {
        bottom();
    } else {
        dive(depth - 1, bottom);
    }
    black_box(room);
}

#[test]
fn a_stack_is_walked_to_where_its_thread_began() {
    let (unwinder, names) = (Unwinder::prepare(), Names::of_this());
    for depth in [0, 1, 10, 500] {
        let mut frames = [0; DEEPEST];
        let mut walked = None;
        dive(depth, &mut || walked = Some(unwinder.here(&mut frames)));
        let walked = walked.unwrap();
        assert!(walked.complete, "{walked:?}");
        assert!(walked.frames > depth as usize + 5, "{walked:?}");
        let mut places = unwinder.places();
        let mut inside = |frame: &&u64| names.is_in(places.place(**frame).1, "dive");
        assert_eq!(frames[..walked.frames].iter().filter(&mut inside).count(), depth as usize + 1);
    }
}

#[test]
fn where_there_is_no_more_room_the_stack_is_not_complete() {
    let unwinder = Unwinder::prepare();
    let mut frames = [0; 20];
    dive(100, &mut || {
        let walked = unwinder.here(&mut frames);
        assert_eq!((walked.frames, walked.complete), (20, false));
    });
}

#[test]
fn walks_at_the_same_time_do_not_disturb_each_other() {
    let unwinder = Unwinder::prepare();
    let walk = || {
        for depth in (0..200).cycle().take(2000) {
            let mut frames = [0; DEEPEST];
            dive(depth, &mut || assert!(unwinder.here(&mut frames).complete));
        }
    };
    std::thread::scope(|scope| [(); 4].map(|()| scope.spawn(walk)).map(|walk| walk.join().unwrap()));
}

#[test]
fn a_frame_is_in_the_file_of_its_code() {
    let unwinder = Unwinder::prepare();
    let mut frames = [0; DEEPEST];
    let walked = unwinder.here(&mut frames);
    let mut places = unwinder.places();
    let trace = places.trace(&frames[..walked.frames], walked.complete);
    let (nowhere, address) = places.place(1);
    assert_eq!((address, trace.frames.len()), (1, walked.frames));
    let modules = places.into_modules();
    let path = |index: u32| std::path::Path::new(&modules[index as usize].path);
    assert_eq!(path(trace.frames[0].0), std::env::current_exe().unwrap());
    // The C library began the thread.
    let (last, _) = trace.frames[walked.frames - 1];
    assert!(path(last).file_name().unwrap().to_str().unwrap().starts_with("libc"), "{modules:?}");
    assert_eq!(path(nowhere).as_os_str(), "");
}
