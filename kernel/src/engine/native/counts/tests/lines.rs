//! Which lines and which calls are counted how often.

use super::{Bench, FIB};
use assay_link::native::Ending;

#[tokio::test]
async fn recursion_is_counted_exactly() {
    let (_, seen) = Bench::check(
        &[FIB, "let x = fib(25); //= 1\nprintln!(\"{x}\"); //= 1"],
        &[("fib", 242_785), ("never", 0), ("let", 1)],
    )
    .await;
    assert_eq!((seen.printed.as_str(), seen.ending), ("75025\n", Ending::Ok));
    assert!(seen.calls.iter().all(|calls| !calls.at_least));
}

#[tokio::test]
async fn each_line_has_its_own_hits() {
    let cell = "\
let mut sum = 0; //= 1

// A comment.
for i in 0..1000_u64 { //= 1000
    if i % 3 == 0 { //= 1000
        sum += i; //= 334
    } else {
        sum -= 1; //= 666
    }
    sum += match i { //= 1000
        0 => 1, //= 1
        1 | 2 => { //= 2
            let two = //= 2
                i * 2;
            two //= 2
        }
        n if n > 990 && //= 997
            n < 993 => 3, //= 9
        2000 => unreachable!(), //= 0
        _ => 4, //= 995
    };
}
let chain: u64 = (0..1000_u64) //= 1
    .map(|x| x * 2) //= 1000
    .filter(|x| { //= 1000
        let y = x % 4; //= 1000
        y == 0 //= 1000
    })
    .map(|x| //= 1
        x + 1) //= 500
    .sum(); //= 1
let mut n = 0; //= 1
while n < 10 { //= 5
    n += 1; //= 5
    if n == 3 { //= 5
        continue; //= 1
    }
    if n == 5 { //= 4
        break; //= 1
    }
}
loop { //= 15
    n += 1; //= 15
    if n >= 20 { break } //= 15
}
println!( //= 1
    \"{} {}\",
    sum,
    chain,
);";
    Bench::check(&[cell], &[("|x|", 1000), ("|x|", 1000), ("|x|", 500), ("let", 1)]).await;
}

#[tokio::test]
async fn generics_are_one_function_whatever_their_types() {
    let cell = "\
use std::fmt::Debug;
fn show<T: Debug>(x: T) -> usize { //= 30
    let text = format!(\"{x:?}\"); //= 30
    text.len() //= 30
} //= 30
trait Area {
    fn area(&self) -> f64; 
    fn twice(&self) -> f64 { self.area() * 2.0 } //= 30
}
struct Circle(f64);
struct Square(f64);
impl Area for Circle {
    fn area(&self) -> f64 { //= 10
        self.0 * 3.0 //= 10
    } //= 10
}
impl Area for Square {
    fn area(&self) -> f64 { //= 20
        self.0 * self.0 //= 20
    } //= 20
}
impl<T> From<(T,)> for Square where T: Area {
    fn from(x: (T,)) -> Self { Self(x.0.twice()) } //= 0
}
const fn constant(x: usize) -> usize { //= 3
    x + 1 //= 3
} //= 3";
    let last = "\
for _ in 0..10 { Circle(1.0).twice(); show(1_u8); } //= 10
for _ in 0..20 { Square(1.0).twice(); show(\"text\"); } //= 20
let sum = constant(constant(constant(1))); //= 1
const TWO: usize = constant(1);
sum + TWO //= 1";
    let calls =
        [("show", 30), ("twice", 30), ("area", 10), ("area", 20), ("from", 0), ("constant", 3), ("for", 1)];
    Bench::check(&[cell, last], &calls).await;
}

#[tokio::test]
async fn what_fails_is_counted_up_to_there_and_what_panics_with_what_follows_it() {
    // The compiler counts blocks, and a call that panics does not end one.
    let cell = "\
fn checked(n: u32) -> Result<u32, String> { //= 10
    let half = half(n)?; //= 10
    let text = format!( //= 5
        \"{half}\",
    );
    Ok(text.parse::<u32>().map_err(|error| error.to_string())?) //= 5
} //= 10
fn half(n: u32) -> Result<u32, String> { //= 10
    if n % 2 == 0 { Ok(n / 2) } else { Err(\"odd\".to_owned()) } //= 10
} //= 10
fn fails(n: u32) -> u32 { //= 4
    if n == 0 { //= 4
        panic!(\"zero\"); //= 1
    }
    let below = fails(n - 1); //= 3
    below + 1 //= 3
} //= 3";
    let last = "\
for n in 0..10 { //= 10
    let _ = checked(n); //= 10
}
std::panic::catch_unwind(|| fails(3)).is_err(); //= 1
fails(0); //= 1
println!(\"not reached\"); //= 1";
    let mut bench = Bench::new().await;
    bench.run(cell).await;
    let seen = bench.count(&last.replace("fails(0); //= 1\n", "")).await;
    bench.compare(
        &seen,
        &[("checked", 10), ("half", 10), ("|error|", 0), ("fails", 4), ("for", 1), ("||", 1)],
    );
}

#[tokio::test]
async fn functions_that_call_each_other_and_functions_in_functions() {
    let cell = "\
fn even(n: u32) -> bool { if n == 0 { true } else { odd(n - 1) } } //= 6
fn odd(n: u32) -> bool { //= 5
    fn minus(n: u32) -> u32 { //= 5
        n - 1 //= 5
    } //= 5
    struct Inner;
    impl Inner {
        fn check(&self, n: u32) -> bool { n == 0 } //= 5
    }
    if Inner.check(n) { //= 5
        return false; //= 0
    }
    even(minus(n)) //= 5
} //= 5";
    let calls = [("even", 6), ("odd", 5), ("minus", 5), ("check", 5), ("even", 1)];
    Bench::check(&[cell, "even(10) //= 1"], &calls).await;
}

#[tokio::test]
async fn futures_are_counted_when_they_are_made_and_their_lines_when_they_run() {
    let cell = "\
async fn later(n: u64) -> u64 { //= 3
    pause().await; //= 2
    n + 1 //= 2
} //= 2
async fn pause() { //= 2
    let mut once = false; //= 2
    std::future::poll_fn(|context| { //= 4
        if once { return std::task::Poll::Ready(()); } //= 4
        once = true; //= 2
        context.waker().wake_by_ref(); //= 2
        std::task::Poll::Pending //= 2
    }).await
} //= 2";
    let last = "\
let never = later(1); //= 1
let a = later(2).await; //= 1
let block = async { //= 1
    let b = later(3) //= 1
        .await; //= 1
    b + a //= 1
};
println!(\"{}\", block.await); //= 1
let first = async |n: u64| n + 1; //= 2
let second = |n: u64| async move { //= 2
    n + 1 //= 1
};
let third = async |n: u64| { //= 1
    n + 1 //= 1
};
first(1).await + first(1).await + second(1).await + third(1).await; //= 1
drop((never, second(1))); //= 1";
    let calls = [
        ("later", 3),
        ("pause", 2),
        ("|context|", 4),
        ("|n: u64|", 2),
        ("|n: u64|", 2),
        ("|n: u64|", 1),
        ("let", 1),
    ];
    let (_, seen) = Bench::check(&[cell, last], &calls).await;
    assert_eq!(seen.printed, "7\n");
}

#[tokio::test]
async fn what_stands_in_macros_is_counted_where_it_stands() {
    let cell = "\
macro_rules! twice { ($e:expr) => { { $e; $e } } }
macro_rules! make { ($n:ident) => { fn $n() -> u64 { 1 } } } //= 0
make!(made);
fn f(n: u64) -> u64 { //= 12
    n + 1 //= 12
} //= 12";
    let last = "\
twice!(f(1)); //= 1
let v = vec![1, 2, 3, 4, 5]; //= 1
println!(\"{:?}\", v.iter().map(|x| f(*x)).collect::<Vec<_>>()); //= 5
assert!(v.iter().all(|x| { //= 5
    let y = f(*x); //= 5
    y > 1 //= 5
}));
matches!(v.iter().map(|x| x + 1).max(), Some(6)) //= 5";
    let mut bench = Bench::new().await;
    bench.run(cell).await;
    let seen = bench.count(last).await;
    let made = seen.calls.iter().position(|calls| seen.functions[calls.function].name == "made");
    assert_eq!(made, None);
    bench.compare(&seen, &[("f", 12), ("|x|", 5), ("|x|", 5), ("|x|", 5), ("twice", 1)]);
}
