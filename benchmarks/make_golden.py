"""Record what RecBole answers, for the tests of ours. Runs in the peer's environment.

    python -m benchmarks.peer benchmarks.make_golden tests/golden            all of it, about a minute
    python -m benchmarks.peer benchmarks.make_golden tests/golden model      one recording

The files are committed; tests/golden/README.md says what each holds.
"""

import argparse
from pathlib import Path

from benchmarks.golden.data import record_intervals, record_popularity, record_split
from benchmarks.golden.model import record_model
from benchmarks.golden.settings import record_release, record_search_grammar, record_settings
from benchmarks.recbole_setup import scratch_folder

RECORDINGS = {
    "split": record_split,
    "intervals": record_intervals,
    "popularity": record_popularity,
    "model": record_model,
    "search-grammar": record_search_grammar,
    "settings": record_settings,
    "release": record_release,
}


def main() -> None:
    parser = argparse.ArgumentParser(description="Record what RecBole answers.")
    parser.add_argument("folder", type=Path, help="where the files go, such as tests/golden")
    parser.add_argument("recordings", nargs="*", help=f"default: all of {', '.join(RECORDINGS)}")
    options = parser.parse_args()
    unknown = set(options.recordings) - set(RECORDINGS)
    if unknown:
        parser.error(f"no recording {', '.join(sorted(unknown))}; there are {', '.join(RECORDINGS)}")
    folder = options.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    with scratch_folder():
        for name in options.recordings or RECORDINGS:
            RECORDINGS[name](folder)
            print(f"recorded {name}")


if __name__ == "__main__":
    main()
