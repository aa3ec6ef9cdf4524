"""Own sessions -> search -> recommendations, in Python. Takes half a minute on two cores, offline:

python examples/own_sessions.py
"""

from __future__ import annotations

import csv
import random
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from experiments import search
from narm import Recommender

AISLES = ("tea", "cheese", "pasta", "wine", "fruit", "bread")
PER_AISLE = 12


def write_clicks(file: Path, n_sessions: int = 1_500, seed: int = 1) -> None:
    """Clicks of made-up visitors, most of whom walk along an aisle: tea-03, tea-04, tea-05 ..."""
    chance = random.Random(seed)
    with file.open("w", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(["visit", "product", "time"])
        for visit in range(n_sessions):
            aisle, shelf = chance.choice(AISLES), chance.randrange(PER_AISLE)
            for step in range(chance.randint(3, 8)):
                writer.writerow([visit, f"{aisle}-{shelf:02}", visit * 600 + step * 20])
                shelf = (shelf + 1) % PER_AISLE
                if chance.random() < 0.1:
                    aisle = chance.choice(AISLES)


def find_model(clicks: Path, runs: Path) -> Path:
    """Search a small space, and return the model to ship."""
    space = clicks.with_name("space.yaml")
    space.write_text("learning_rate: {low: 0.003, high: 0.03, log: true}\nhidden_size: [32, 64]\n")
    data = ["--dataset", str(clicks), "--session_column", "visit", "--item_column", "product", "--time_column", "time"]
    size = ["--trials", "4", "--epochs", "8", "--finalists", "0", "--embedding_size", "32", "--train_batch_size", "256"]
    status = search.main([*data, *size, "--space", str(space), "--output", str(runs), "--study", "demo"])
    if status != 0:
        sys.exit(status)
    return runs / "demo" / "winner.pt"


def main() -> None:
    """Print what comes next for visitors whom the model has never seen."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        write_clicks(folder / "clicks.csv")
        recommender = Recommender.load(find_model(folder / "clicks.csv", folder / "runs"))
        visits = [["tea-03", "tea-04"], ["wine-10", "bread-01", "bread-02"], ["bread-07", "something new"]]
        for visit, found in zip(visits, recommender.recommend(visits, k=3), strict=True):
            print(f"{' -> '.join(visit):36}{', '.join(map(str, found.items))}")


if __name__ == "__main__":
    main()
