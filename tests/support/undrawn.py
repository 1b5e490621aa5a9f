"""``srscope`` without figures and report, which take most of a tiny analysis: run as a script."""

from srscope.cli.main import main
from srscope.figures import save
from srscope.report import html

if __name__ == "__main__":
    setattr(save, "save_figures", lambda *_: [])  # noqa: B010
    setattr(html, "write_report", lambda *_: None)  # noqa: B010
    raise SystemExit(main())
