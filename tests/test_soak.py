"""A long notebook in which most things go wrong: after each cell the variables are what a model of them says."""

from __future__ import annotations

import os
import random
from time import sleep

import pytest

from frontend import FrontEnd
from launch import running

# 500 cells take about two minutes on two cores; `ASSAY_SOAK=SEED,CELLS` makes another run, by hand.
SEED, CELLS = (int(part) for part in os.environ.get("ASSAY_SOAK", "1,500").split(","))

pytestmark = pytest.mark.timeout(900 + CELLS * 2)

CRATES = ':dep rayon = "1"'
BEGIN = "use rayon::prelude::*; let mut a = 0i64; let mut v: Vec<i64> = Vec::new(); fn step(x: i64) -> i64 { x + 1 }"
DEEP = "fn deep(n: u64) -> u64 { if n == u64::MAX { 0 } else { 1 + deep(n + 1) + std::hint::black_box(n) } }"

# What ends the cell, after it has changed the variables: the code, and the error's name. Nothing of it is left.
LOST = [
    ("v.clear(); unsafe { std::ptr::null_mut::<u8>().write_volatile(1) }", "Died"),
    ("v.push(-1); std::process::abort();", "Died"),
    ("a -= 5; std::process::exit(1);", "Died"),
    (f"{DEEP} a = 3; deep(0)", "Died"),
    ('a = "x";', "E0308"),
]

# What is interrupted some time after its beginning, which may be before it runs.
ENDLESS = [
    "a = 1234; loop {}",
    "v.clear(); std::thread::sleep(std::time::Duration::MAX);",
    "v.push(-7); (0..u64::MAX).into_par_iter().for_each(|n| { std::hint::black_box(n); });",
]


# What can be stopped where it stands, after it has changed a variable and said so: what it did until then stays.
STOPPABLE = [
    'a += 2; println!("running"); for _ in assay::progress(0..u64::MAX) { std::hint::black_box(1); }',
    'a += 2; println!("running"); std::future::pending::<()>().await;',
    'a += 2; println!("running");\n%timeit -q --budget 60 -r 1000000 std::hint::black_box(1) + 1',
]


class Model:
    """What the variables are."""

    def __init__(self) -> None:
        self.a = 0
        self.v: list[int] = []

    def __str__(self) -> str:
        last = f"Some({self.v[-1]})" if self.v else "None"
        return f"({self.a}, {len(self.v)}, {last})"


def interrupted(front: FrontEnd, code: str, delay: float) -> str | None:
    """Runs a cell, and interrupts it after so many seconds. The error's name, if it did not come to its end."""
    cell = front.start(code)
    sleep(delay)
    front.request("interrupt_request", channel="control")
    front.wait(cell)
    assert cell.reply is not None
    if cell.reply.content["status"] == "ok":
        cell.ok()
        return None
    return cell.error()["ename"]


def turn(front: FrontEnd, model: Model, dice: random.Random, number: int) -> None:
    """One cell."""
    kind = dice.randrange(12)
    if kind == 0:
        front.execute("a = step(a);").ok()
        model.a += 1
    elif kind == 1:
        front.execute(f"v.push({number});").ok()
        model.v.append(number)
    elif kind == 2:
        front.execute(f"fn step(x: i64) -> i64 {{ let _ = {number}; x + 1 }}").ok()
    elif kind == 3:
        # What a panic leaves has happened.
        assert front.execute('a += 1; panic!("on purpose");').error()["ename"] == "Panic"
        model.a += 1
    elif kind == 4:
        assert interrupted(front, dice.choice(ENDLESS), dice.random() * 0.4) == "Interrupted"
    elif kind == 5:
        # The interrupt comes about when the cell ends.
        brief = "a += 1; let _ = std::thread::sleep(std::time::Duration::from_millis(20));"
        error = interrupted(front, brief, 0.05 + dice.random() * 0.1)
        assert error in (None, "Interrupted")
        model.a += error is None
    elif kind == 6:
        failed = front.execute('for line in 0..200 { println!("{line}"); } std::process::abort();')
        assert failed.error()["ename"] == "Died"
        assert failed.stdout() == "".join(f"{line}\n" for line in range(200))
    elif kind == 7:
        front.execute("a += (0..100i64).into_par_iter().map(|n| n % 2).sum::<i64>();").ok()
        model.a += 50
    elif kind == 8:
        # As if it had never been, with what it made.
        front.execute("v.clear(); a = -1; fn step(x: i64) -> i64 { x - 1000 }").ok()
        front.execute("%undo").ok().everything()
    elif kind == 9:
        # A thread that goes on, and holds nothing up.
        front.execute("std::thread::spawn(|| std::thread::sleep(std::time::Duration::from_millis(300)));").ok()
    elif kind == 10:
        cell = front.start(dice.choice(STOPPABLE))
        front.until_output(cell, "running")
        # The loop, the wait or the measurement is there by then, as a person's press would find it.
        sleep(0.2 + dice.random() * 0.3)
        front.request("interrupt_request", channel="control")
        front.wait(cell)
        assert cell.error()["ename"] == "Interrupted"
        cell.everything()
        model.a += 2
    else:
        code, name = dice.choice(LOST)
        failed = front.execute(code)
        assert failed.error()["ename"] == name
        failed.everything()


def test_the_variables_are_always_what_they_should_be() -> None:
    dice = random.Random(SEED)
    with running() as kernel:
        front = kernel.connect()
        front.execute(CRATES).ok().everything()
        front.execute(BEGIN).ok()
        model = Model()
        for number in range(CELLS):
            turn(front, model, dice, number)
            seen = front.execute("(a, v.len(), v.last().copied())").ok().text()
            assert seen == str(model), f"after cell {number} of seed {SEED}"
