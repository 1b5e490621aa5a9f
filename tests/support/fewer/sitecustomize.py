"""Measure trained networks on few small photographs, in commands that tests start.

Python imports this as it starts where this folder stands in PYTHONPATH. The bundled test
photographs would take most of a tiny run's time.
"""

import os

FOLDER = os.environ.get("TEST_PHOTOGRAPHS")

if FOLDER:
    from srscope.images.folder import load_folder
    from srscope.training import facts

    setattr(facts, "load_bundled", lambda _: load_folder(str(FOLDER)))  # noqa: B010
