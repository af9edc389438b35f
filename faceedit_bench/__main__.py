"""`python -m faceedit_bench`: the same as the command `faceedit-bench`."""

from .cli import main

if __name__ == "__main__":
    main()
