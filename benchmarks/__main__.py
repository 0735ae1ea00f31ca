"""Run every benchmark (``make bench``); exit 1 if a number that the README claims does not hold here."""

import sys

from benchmarks import csv_readers, headline, startup

print("## start-up\n")
failed = startup.main(rounds=7)
print("\n## readers of Kaggle's CSV\n")
csv_readers.main(rounds=5)
print("\n## headline\n")
failed |= headline.main(seeds=3)
sys.exit(failed)
