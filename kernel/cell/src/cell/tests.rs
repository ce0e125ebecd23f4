//! Cells written by hand, of the form in which they are generated.

use super::{Flow, catch, put, put_iterator, take};
use crate::run::{self, Failure, Run};
use crate::table::Kept;
use std::cell::Cell;
use std::rc::Rc;

/// Runs a part of a cell as a run of its own.
fn ran(body: impl FnOnce() -> Flow) -> Run {
    let mut body = Some(body);
    let _turn = run::alone();
    run::begin();
    catch(&mut || body.take().map_or(Ok(()), |body| body()));
    run::end()
}

/// A run of which nothing more is asked than that it does this.
#[track_caller]
fn fine(body: impl FnOnce()) -> Vec<Kept> {
    let run = ran(|| {
        body();
        Ok(())
    });
    assert!(run.failure.is_none());
    run.kept
}

/// Counts how many of it have been dropped.
struct Counted(Rc<Cell<u32>>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.set(self.0.get() + 1);
    }
}

#[test]
fn a_variable_goes_from_cell_to_cell() {
    let kept = fine(|| put(vec![1u64], 3, "x"));
    assert_eq!(kept, [Kept { slot: 3, bytes: 24 }]);
    fine(|| {
        let mut x = take::<Vec<u64>>("x");
        x.push(2);
        put(x, 0, "x");
    });
    fine(|| assert_eq!(take::<Vec<u64>>("x"), [1, 2]));
}

#[test]
fn an_iterator_is_kept_as_what_it_is_behind_a_pointer() {
    fine(|| put_iterator((0..3).map(|x| x * 2), 0, "evens"));
    fine(|| assert_eq!(take::<Box<dyn Iterator<Item = i32>>>("evens").collect::<Vec<_>>(), [0, 2, 4]));
}

#[test]
fn of_two_bindings_with_one_name_the_inner_is_kept() {
    let count = Rc::new(Cell::new(0));
    let outer = Counted(Rc::clone(&count));
    let kept = fine(|| {
        put(7u8, 1, "x");
        put(outer, 0, "x");
    });
    assert_eq!((kept, count.get()), (vec![Kept { slot: 1, bytes: 1 }], 1));
    fine(|| assert_eq!(take::<u8>("x"), 7));
}

#[test]
fn a_variable_that_was_not_taken_is_replaced() {
    let count = Rc::new(Cell::new(0));
    let old = Counted(Rc::clone(&count));
    fine(|| put(old, 0, "x"));
    fine(|| put("new", 0, "x"));
    assert_eq!(count.get(), 1);
    fine(|| assert_eq!(take::<&str>("x"), "new"));
}

#[test]
fn what_a_cell_was_promised_and_does_not_get_is_trouble() {
    #[track_caller]
    fn check(name: &'static str, expected: &str) {
        let run = ran(|| {
            take::<Vec<u8>>(name);
            Ok(())
        });
        assert!(matches!(&run.failure, Some(Failure::Trouble(what)) if what.contains(expected)));
    }
    fine(|| put(1u8, 0, "x"));
    check("x", "`x` is kept, but it is not of the type `alloc::vec::Vec<u8>`");
    check("y", "`y` of type `alloc::vec::Vec<u8>` is not among those that are kept");
    fine(|| assert_eq!(take::<u8>("x"), 1));
}

#[test]
fn the_first_failure_counts_and_the_rest_of_the_cell_keeps_what_it_can() {
    let run = ran(|| {
        let y = 5u8;
        catch(&mut || {
            "no".parse::<u8>()?;
            Ok(())
        });
        catch(&mut || -> Flow { panic!("later") });
        put(y, 0, "y");
        Ok(())
    });
    assert!(
        matches!(&run.failure, Some(Failure::Question(message)) if message == "ParseIntError { kind: InvalidDigit }")
    );
    assert_eq!(run.kept, [Kept { slot: 0, bytes: 1 }]);
}

#[test]
fn a_payload_that_no_hook_heard_of_is_a_panic_without_a_place() {
    let run = ran(|| std::panic::resume_unwind(Box::new("passed on".to_owned())));
    assert!(
        matches!(run.failure, Some(Failure::Panic(seen)) if seen.message == "passed on" && seen.place.is_none())
    );
}

#[test]
fn a_destructor_that_panics_costs_no_other_variable() {
    struct Bad;
    impl Drop for Bad {
        fn drop(&mut self) {
            panic!("bad");
        }
    }
    fine(|| put(Bad, 0, "x"));
    let run = ran(|| {
        put(1u8, 0, "x");
        put(2u8, 1, "y");
        Ok(())
    });
    assert!(matches!(run.failure, Some(Failure::Panic(seen)) if seen.message == "bad"));
    assert_eq!(run.kept.len(), 2);
    fine(|| assert_eq!((take::<u8>("x"), take::<u8>("y")), (1, 2)));
}
