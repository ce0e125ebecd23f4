"""The same text outside a notebook, in one package: a release binary with a loop by hand, the same binary laid out as a notebook's
process is, and benchmarks of criterion and divan."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .notebook import Trouble

MANIFEST = """[package]
name = "peers"
version = "0.0.0"
edition = "2024"

[dev-dependencies]
criterion = { version = "0.8", default-features = false, features = ["cargo_bench_support"] }
divan = "0.1"

[[bench]]
name = "by_criterion"
harness = false

[[bench]]
name = "by_divan"
harness = false

[workspace]
"""
BINARIES = ("peers", "likewise")
ALLOW = "#![allow(dead_code, unused)]\n"
# A cell shares the standard library with the process it runs in, and is never its only thread: malloc has a shorter way without one.
SECOND_THREAD = "std::thread::spawn(|| loop { std::thread::park() });"
SHARED = "-Cprefer-dynamic"
UNITS = {"ps": 1e-12, "ns": 1e-9, "µs": 1e-6, "ms": 1e-3, "s": 1.0}


class Peers:
    def __init__(self, folder: Path, definitions: list[str], inputs: str, calls: list[str]) -> None:
        self.folder = folder.resolve()
        self.text = "\n".join(definitions)
        self.inputs = inputs
        self.calls = calls
        self.programs: dict[str, str] = {}
        self.library = ""

    def build(self) -> None:
        self.write("Cargo.toml", MANIFEST)
        self.write("src/main.rs", self.by_hand())
        self.write("src/bin/likewise.rs", self.by_hand(SECOND_THREAD))
        self.write("benches/by_criterion.rs", self.by_criterion())
        self.write("benches/by_divan.rs", self.by_divan())
        # The user's own settings would make it another build than `cargo build --release`.
        env = {key: value for key, value in os.environ.items() if not key.startswith("CARGO_TARGET") and key != "RUSTFLAGS"}
        self.library = subprocess.run(["rustc", "--print", "target-libdir"], capture_output=True, check=True, text=True).stdout.strip()
        for order, flags in (
            (["build", "--release", "--bin", "peers"], {}),
            (["build", "--release", "--bin", "likewise", "--target-dir", "target/shared"], {"RUSTFLAGS": SHARED}),
            (["bench", "--benches", "--no-run"], {}),
        ):
            built = subprocess.run(
                ["cargo", *order, "--quiet", "--message-format=json"],
                cwd=self.folder,
                env={**env, **flags},
                stdout=subprocess.PIPE,
                check=True,
                text=True,
            )
            for line in built.stdout.splitlines():
                message = json.loads(line)
                # `cargo bench` also makes tests of the binaries.
                if message.get("executable") and not (order[0] == "bench" and message["target"]["name"] in BINARIES):
                    self.programs[message["target"]["name"]] = message["executable"]

    def write(self, name: str, text: str) -> None:
        """cargo goes by the times of files: what is as it was is left alone."""
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        if not file.exists() or file.read_text() != text:
            file.write_text(text)

    def by_hand(self, first: str = "") -> str:
        """Reads the number of a function and the seconds it may take; prints the nanoseconds of a call."""
        arms = "".join(f"            {n} => by_hand(seconds, || {call}),\n" for n, call in enumerate(self.calls))
        return f"""{ALLOW}{self.text}
fn main() {{
    {first}
    {self.inputs}
    for line in std::io::stdin().lines() {{
        let line = line.unwrap();
        let (number, seconds) = line.split_once(' ').unwrap();
        let seconds: f64 = seconds.parse().unwrap();
        let call = match number.parse::<u32>().unwrap() {{
{arms}            _ => unreachable!(),
        }};
        println!("{{call}}");
    }}
}}
"""

    def by_criterion(self) -> str:
        benches = "".join(f'    criterion.bench_function("f{n}", |b| b.iter(|| {call}));\n' for n, call in enumerate(self.calls))
        return f"""{ALLOW}{self.text}
fn main() {{
    {self.inputs}
    let mut criterion = criterion::Criterion::default().configure_from_args();
{benches}}}
"""

    def by_divan(self) -> str:
        bench = "#[divan::bench]\nfn f{n}(bencher: divan::Bencher) {{\n    {inputs}\n    bencher.bench_local(|| {call});\n}}\n"
        benches = "".join(bench.format(n=n, inputs=self.inputs, call=call) for n, call in enumerate(self.calls))
        return f"{ALLOW}{self.text}\nfn main() {{\n    divan::main();\n}}\n{benches}"

    @contextmanager
    def binary(self, name: str) -> Iterator[subprocess.Popen[str]]:
        env = {**os.environ, "LD_LIBRARY_PATH": self.library}
        pipe = subprocess.PIPE
        with subprocess.Popen([self.programs[name]], stdin=pipe, stdout=pipe, text=True, bufsize=1, env=env) as process:
            yield process

    def criterion(self, number: int, seconds: float) -> float:
        """The median seconds of a call."""
        home = self.folder / "criterion"
        shutil.rmtree(home, ignore_errors=True)
        options = ["--bench", "--noplot", "--quiet", "--warm-up-time", str(seconds), "--measurement-time", str(2 * seconds), f"^f{number}$"]
        self.output("by_criterion", options, {"CRITERION_HOME": str(home)})
        estimates = json.loads((home / f"f{number}" / "new" / "estimates.json").read_text())
        return estimates["median"]["point_estimate"] * 1e-9

    def divan(self, number: int) -> float:
        """The median seconds of a call: its third column."""
        said = self.output("by_divan", ["--bench", "--color", "never", f"^by_divan::f{number}$|^f{number}$"], {})
        row = next((line for line in said.splitlines() if re.search(rf"─ f{number}\b", line)), None)
        if row is None:
            raise Trouble(f"divan said nothing of f{number}:\n{said}")
        value, unit = row.split("│")[2].split()
        return float(value) * UNITS[unit]

    def output(self, program: str, options: list[str], env: dict[str, str]) -> str:
        ended = subprocess.run(
            [self.programs[program], *options],
            env={**os.environ, **env},
            capture_output=True,
            check=False,
            text=True,
        )
        if ended.returncode != 0:
            raise Trouble(f"{program} failed:\n{ended.stderr}")
        return ended.stdout
