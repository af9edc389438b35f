"""The package list: `plugins/` is installed as `faceedit_plugins`, new folders included by themselves."""

from setuptools import find_packages, setup

core = find_packages(include=["faceedit_bench", "faceedit_bench.*"])
plugins = ["faceedit_plugins", *(f"faceedit_plugins.{name}" for name in find_packages("plugins"))]
setup(packages=core + plugins)
