"""Is what a wheel installed whole? ``python -m tests.installed``, in a folder without sources (``make test-wheel``)."""

from __future__ import annotations

import tomllib
from importlib import import_module
from importlib.metadata import distribution, entry_points
from importlib.resources import files
from pathlib import Path
from site import getsitepackages

PACKAGES = ("returnn_ir", "compiler", "runtime")


def main() -> None:
    """Raises AssertionError for what is not as it should be."""
    project = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["project"]
    installed = distribution(project["name"])
    assert installed.version == project["version"], f"{installed.version} is installed, not {project['version']}"
    for package in PACKAGES:
        path = Path(str(import_module(package).__file__))
        assert any(path.is_relative_to(folder) for folder in getsitepackages()), f"{package} comes from {path}"
        assert (files(package) / "py.typed").is_file(), f"{package} has no types"
    scripts = {script.name: script for script in entry_points(group="console_scripts")}
    for name in project["scripts"]:
        assert callable(scripts[name].load()), name
    print(f"testing {installed.name} {installed.version} from {getsitepackages()[0]}")


if __name__ == "__main__":
    main()
