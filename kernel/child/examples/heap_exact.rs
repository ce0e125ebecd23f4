//! Programs whose allocations were counted by hand, and what is seen of them: `cargo run -p assay-child --example heap_exact`. It fails if that is anything else.
//!
//! Unlike in the process that runs cells, this program's own Rust code allocates by C's `malloc`, as it does in any program.
#![expect(clippy::print_stdout, reason = "a program that a person runs prints")]
#![cfg_attr(heap, expect(unsafe_code, reason = "functions of C are called"))]

#[cfg(heap)]
#[path = "../src"]
#[expect(dead_code, reason = "the program that runs cells uses more of it")]
mod child {
    pub(crate) mod heap;
    #[cfg(stacks)]
    pub(crate) mod unwind;
}
#[cfg(heap)]
#[path = "heap_exact/programs.rs"]
mod programs;
#[cfg(all(heap, stacks, target_arch = "x86_64"))]
#[path = "heap_exact/stacks.rs"]
mod stacks;
#[cfg(heap)]
#[expect(dead_code, reason = "what is counted is of a type that stands there, beside others")]
#[path = "../../cell/src/table.rs"]
mod table;

#[cfg(heap)]
use child::heap;
#[cfg(all(heap, stacks))]
use child::unwind;

#[cfg(heap)]
fn main() -> std::process::ExitCode {
    #[cfg(all(stacks, target_arch = "x86_64"))]
    let right = programs::all() & stacks::all();
    #[cfg(not(all(stacks, target_arch = "x86_64")))]
    let right = programs::all();
    if right { std::process::ExitCode::SUCCESS } else { std::process::ExitCode::FAILURE }
}

#[cfg(not(heap))]
fn main() {
    println!("nothing is seen on this system");
}
