"""Build hook: an editable install knows the folder ``sim/`` under the package's name.

A wheel maps the folder itself. An editable install has nothing to copy: it gets a package
``lodestone`` of one file whose search path is the clone's ``sim/``, so that no top-level package
called ``sim`` reaches site-packages.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

TEXT = '''"""Written by the editable install: the package's source is the folder named below."""
__path__ = [{folder!r}]
__file__ = {file!r}
with open(__file__, encoding="utf-8") as _source:
    exec(compile(_source.read(), __file__, "exec"))
'''


class EditableName(BuildHookInterface):
    """Write the one file of an editable install."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the file where an editable wheel is built."""
        if self.target_name != "wheel" or version != "editable":
            return
        folder = Path(self.root) / "sim"
        written = Path(tempfile.mkdtemp()) / "__init__.py"
        written.write_text(
            TEXT.format(folder=str(folder), file=str(folder / "__init__.py")), encoding="utf-8"
        )
        build_data["force_include_editable"] = {str(written): "lodestone/__init__.py"}
