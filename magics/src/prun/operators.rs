//! What the standard library's source has functions for, and nobody thinks of as such: operators, references, numbers. Where the compiler has put one into its caller it is some
//! instructions of that, and is counted so; a person who looks for a slow line is not to find `core::num::wrapping_mul` at the top of the table.

use crate::profiled::{Frame, Function, Origin, Profiled};

/// Where these functions stand.
const FILES: [&str; 15] = [
    "core/src/array/",
    "core/src/borrow.rs",
    "core/src/clone.rs",
    "core/src/cmp.rs",
    "core/src/convert/",
    "core/src/hint.rs",
    "core/src/intrinsics/",
    "core/src/iter/range.rs",
    "core/src/mem/",
    "core/src/num/",
    "core/src/ops/",
    "core/src/option.rs",
    "core/src/ptr/",
    "core/src/slice/index.rs",
    "stdarch/",
];

/// The same profile with these as parts of their callers; none if there are no such.
pub(super) fn folded(profiled: &Profiled) -> Option<Profiled> {
    let is_operator =
        |frame: &Frame| frame.inlined && profiled.functions.get(frame.function).is_some_and(is_operator);
    let stacks = &profiled.time.as_ref()?.stacks;
    if !stacks.iter().any(|stack| stack.frames.iter().any(is_operator)) {
        return None;
    }
    let mut folded = profiled.clone();
    for stack in folded.time.iter_mut().flat_map(|time| &mut time.stacks) {
        stack.frames.retain(|frame| !is_operator(frame));
    }
    Some(folded)
}

fn is_operator(function: &Function) -> bool {
    function.origin == Origin::Standard && FILES.iter().any(|file| function.file.starts_with(file))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{function, stack, words};
    use super::folded;
    use crate::profiled::Origin;

    #[test]
    fn an_operator_is_a_part_of_its_caller() {
        let mut profiled = words();
        assert_eq!(folded(&profiled), None);
        let add = profiled.functions.len();
        profiled.functions.push(function(
            "core::num::wrapping_add",
            "core/src/num/uint_macros.rs",
            None,
            Origin::Standard,
        ));
        let time = profiled.time.as_mut().unwrap();
        time.stacks = vec![stack(&format!("0:2 1:14 {add}:70!"), 9), stack(&format!("0:2 {add}:70"), 1)];
        let folded = folded(&profiled).unwrap();
        let frames: Vec<Vec<usize>> = folded
            .time
            .unwrap()
            .stacks
            .iter()
            .map(|stack| stack.frames.iter().map(|frame| frame.function).collect())
            .collect();
        // What was not compiled into its caller is called.
        assert_eq!(frames, [vec![0, 1], vec![0, add]]);
    }
}
