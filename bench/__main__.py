"""`make bench`: run every benchmark, print the figures, and keep them in bench/RESULTS.md.

`make bench ARGS="training pages"` runs only those.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from datetime import date
from pathlib import Path

from bench.sandbox import MISSED

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "RESULTS.md"
TITLE = "# Benchmark results\n\nPrinted by `make bench`; each section is the last run of one benchmark.\n"


def machine() -> str:
    """Name the machine in one line."""
    model = platform.processor() or platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        pass
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{os.cpu_count()} cores ({model}), {memory:.0f} GiB, Python {platform.python_version()}, {platform.system()}"
    )


def main(chosen: list[str]) -> int:
    """Run the benchmarks named, or all of them; return how many failed."""
    names = sorted(path.stem.removeprefix("bench_") for path in HERE.glob("bench_*.py"))
    unknown = set(chosen) - set(names)
    if unknown:
        print(f"No such benchmark: {', '.join(sorted(unknown))}. There are: {', '.join(names)}.")
        return 2
    kept = _sections()
    failed = 0
    for name in chosen or names:
        print(f"== {name}", flush=True)
        with subprocess.Popen(
            [sys.executable, "-m", f"bench.bench_{name}"], cwd=HERE.parent, stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            lines = []
            for line in process.stdout:
                print(line, end="", flush=True)
                lines.append(line)
        if process.returncode not in (0, MISSED):
            failed += 1
            print(f"{name} failed with code {process.returncode}; its last figures are kept.")
            continue
        if process.returncode == MISSED:
            failed += 1
            lines.append("\n**Not every figure wanted was reached.**\n")
            print(lines[-1])
        kept[name] = f"Measured {date.today().isoformat()} on {machine()}.\n\n" + "".join(lines).strip() + "\n"
        RESULTS.write_text(TITLE + "".join(f"\n## {title}\n\n{body.strip()}\n" for title, body in sorted(kept.items())))
    return failed


def _sections() -> dict[str, str]:
    """The sections of the last results, so that running one benchmark keeps the others."""
    if not RESULTS.exists():
        return {}
    parts = RESULTS.read_text().split("\n## ")[1:]
    return {name.strip(): body for name, _, body in (part.partition("\n") for part in parts)}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
