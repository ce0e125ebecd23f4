"""``%%complexity`` of functions whose growth is known, and of some that grow as no class does."""

from __future__ import annotations

import argparse
import re
from dataclasses import dataclass, field

from .figures import Goal, progress, table
from .notebook import Answer, cells, notebook

NONE = "no class"


@dataclass
class Case:
    name: str
    # How it grows.
    truth: str
    # Behind %%complexity.
    head: str
    body: str
    said: list[str] = field(default_factory=list)

    def judged(self, said: str) -> str:
        if said == self.truth:
            return "right"
        return "abstained" if said.startswith(NONE) else "WRONG"


CASES = [
    Case("index of a Vec", "O(1)", "n=16..65536 let v = numbers(n);", "v[black_box(n / 2)]"),
    Case("binary search", "O(log n)", "n=16..65536 let v = numbers(n);", "v.binary_search(&black_box(n as u64 / 3))"),
    Case("sum", "O(n)", "n=16..65536 let v = numbers(n);", "v.iter().sum::<u64>()"),
    Case("contains, absent", "O(n)", "n=16..65536 let v = numbers(n);", "v.contains(&black_box(u64::MAX))"),
    Case("HashMap, insertion", "O(n)", "n=16..65536", "hashed(n)"),
    Case("sort of a mixed clone", "O(n log n)", "n=16..65536 let v = mixed(n);", "let mut w = v.clone(); w.sort(); w"),
    Case("merge sort", "O(n log n)", "n=16..65536 let v = mixed(n);", "merge_sort(&v)"),
    Case("BTreeMap, insertion", "O(n log n)", "n=16..65536 let v = mixed(n);", "in_tree(&v)"),
    Case("counting pairs", "O(n²)", "n=16..2048 let v = mixed(n);", "pairs(&v)"),
    Case("bubble sort", "O(n²)", "n=16..2048 let v = mixed(n);", "bubble_sort(&v)"),
    Case("product of matrices", "O(n³)", "n=4..256 let (a, b) = (vec![1.5; n * n], vec![0.5; n * n]);", "product(&a, &b, n)"),
    Case("recursive Fibonacci", "O(2ⁿ)", "n=8..26 by 2", "fib(black_box(n as u32))"),
    Case("n·√n steps", NONE, "n=16..16384", "spin(black_box((n * n.isqrt()) as u64))"),
    Case("four times as much if n is odd", NONE, "n=1000..13000 by 1111", "spin(black_box((n * (1 + n % 2 * 3)) as u64))"),
]


def measure(asked: argparse.Namespace) -> list[Goal]:
    definitions = cells("fidelity.cells", "instruments.cells", "growth.cells")
    with notebook(asked.kernel, asked.data, definitions) as kernel:
        for turn in range(asked.sweeps):
            progress(f"growth: round {turn + 1} of {asked.sweeps}")
            for case in CASES:
                case.said.append(named(kernel.run(f"%%complexity {case.head}\n{case.body}")))
    return print_growth()


def named(answer: Answer) -> str:
    """The class; or that there is none, and which might be."""
    said = answer.result["verdict"]
    # A power may have another base than 2.
    if re.fullmatch(r"O\([\d.]+ⁿ\)", said):
        return "O(2ⁿ)"
    if re.fullmatch(r"O\([^)]*\)", said):
        return said
    return f"{NONE}: {answer.texts[0].splitlines()[0]}"


def print_growth() -> list[Goal]:
    shown = []
    for case in CASES:
        # Each answer once, with how often it came.
        answers = dict.fromkeys(case.said)
        said = "; ".join(answer if len(answers) == 1 else f"{case.said.count(answer)} x {answer}" for answer in answers)
        judged = [case.judged(answer) for answer in case.said]
        kinds = ", ".join(f"{judged.count(kind)} {kind}" for kind in dict.fromkeys(judged))
        shown.append([case.name, case.truth, kinds, said])
    table(f"%%complexity: {len(CASES[0].said)} sweeps of each", ["", "grows as", "", "said"], shown, words=4)
    known = [case.judged(answer) for case in CASES if case.truth != NONE for answer in case.said]
    others = [case.judged(answer) for case in CASES if case.truth == NONE for answer in case.said]
    wrong = known.count("WRONG")
    return [
        Goal(
            "classes of twelve functions",
            f"{known.count('right')} of {len(known)} right, {wrong} wrong",
            "all right",
            known.count("right") == len(known),
        ),
        Goal("no class where there is none", f"{others.count('abstained')} of {len(others)}", "always", "WRONG" not in others),
    ]
