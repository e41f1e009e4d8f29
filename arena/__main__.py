"""`python -m arena` is the command line, also in a clone that is not installed."""

from arena.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
