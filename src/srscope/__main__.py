"""``python -m srscope``: the same as the command ``srscope``, for launchers that want a module."""

from srscope.cli.main import main

if __name__ == "__main__":
    raise SystemExit(main())
