"""`faceedit-bench new-method`: a third-party plugin that works, to start from."""

from __future__ import annotations

import errno
import keyword
import os
import re
import shutil
import sys
import tempfile
from pathlib import Path

import click

from ..catalog import catalog
from ..errors import BadConfig, ResultsError

TEMPLATE = Path(__file__).parent.parent / "templates" / "new_method"
FILES = {
    "pyproject.toml": "pyproject.toml",
    "README.md": "README.md",
    "my_method.py": "{module}.py",
    "test_my_method.py": "tests/test_{module}.py",
}
"""File of the template -> where it goes."""


@click.command("new-method", epilog="Example: faceedit-bench new-method my-method --out ~/my-method")
@click.argument("name")
@click.option("--out", type=click.Path(path_type=Path), help="Folder to make.  [default: ./faceedit-NAME]")
def new_method(name: str, out: Path | None) -> None:
    """Write a plugin for method NAME: pyproject.toml, one module, a README and a test that passes."""
    check_name(name)
    folder = (out or Path(f"faceedit-{name}")).expanduser()
    write_plugin(name, folder)
    click.echo(f"{folder}: a plugin for method {name!r}. Next:\n")
    click.echo(
        f"  pip install -e {folder}\n  faceedit-bench methods {name}\n  faceedit-bench run --method {name}"
    )


def module_of(name: str) -> str:
    """`my-method` -> `my_method`."""
    return name.replace("-", "_")


def check_name(name: str) -> None:
    """A method's name is also a module's: lower case, and nobody else's."""
    if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", name):
        raise BadConfig(
            f"{name!r} cannot name a method; wanted lower-case letters, digits, single hyphens: my-method"
        )
    module = module_of(name)
    if (
        keyword.iskeyword(module)
        or module in sys.stdlib_module_names
        or module in ("torch", "faceedit_bench")
    ):
        raise BadConfig(
            f"{name!r} would hide Python's own {module!r}; choose another, for example {name}-edit"
        )
    if name in catalog().methods:
        origin = catalog().origins["method", name]
        raise BadConfig(f"method {name!r} is already offered by {origin.distribution}; choose another name")


def write_plugin(name: str, folder: Path) -> None:
    """All files or none: they are written beside `folder`, which is then renamed into place."""
    if folder.exists():
        raise ResultsError(f"{folder} exists already; choose another folder with --out")
    temporary = None
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}-"))
        for source, target in FILES.items():
            place = temporary / target.format(module=module_of(name))
            place.parent.mkdir(exist_ok=True)
            place.write_text(
                _renamed((TEMPLATE / source).read_text(encoding="utf-8"), name), encoding="utf-8"
            )
        temporary.chmod(0o755)
        os.rename(temporary, folder)
    except OSError as error:
        if error.errno in (errno.EEXIST, errno.ENOTEMPTY):
            raise ResultsError(f"{folder} exists already; choose another folder with --out") from None
        raise ResultsError(
            f"cannot write {folder}: {error.strerror}; choose another folder with --out"
        ) from None
    finally:
        if temporary is not None:
            shutil.rmtree(temporary, ignore_errors=True)


def _renamed(text: str, name: str) -> str:
    title = "".join(word.capitalize() for word in name.split("-"))
    return text.replace("my-method", name).replace("my_method", module_of(name)).replace("MyMethod", title)
