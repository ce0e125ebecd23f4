//! Loops without a page.

use super::progress;

#[test]
fn it_is_the_iterator_that_it_was_given() {
    assert_eq!(progress(vec![1, 2, 3]).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(progress(0..3).rev().collect::<Vec<_>>(), [2, 1, 0]);
    assert_eq!(progress(&[1, 2]).len(), 2);
    assert_eq!(progress((0..9).filter(|x| x % 2 == 0)).size_hint(), (0, Some(9)));
}

#[test]
fn an_item_is_done_when_the_next_one_is_wanted() {
    let mut bar = progress(["a", "b"]).label("letters");
    assert_eq!(format!("{bar:?}"), "progress that has not begun");
    let check = |bar: &super::Progress<_>, expected: &str| {
        let text = format!("{bar:?}");
        assert!(text.starts_with("letters ") && text.contains(expected), "{text}");
    };
    bar.next();
    check(&bar, "0/2");
    bar.next();
    check(&bar, "1/2");
    assert_eq!(bar.next(), None);
    assert_eq!(format!("{bar:?}"), "progress that is over");
    assert_eq!(bar.next(), None);
}

#[test]
fn a_length_can_be_told() {
    let mut bar = progress(std::iter::repeat(())).total(4);
    bar.nth(1);
    assert!(format!("{bar:?}").contains("1/4"));
}
