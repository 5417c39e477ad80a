"""The command line: verbs, one file each; settings composed by Hydra; errors to exit statuses."""

from lodestone.cli.entry import main
from lodestone.cli.exits import guarded
from lodestone.cli.verb import commands

__all__ = ["commands", "guarded", "main"]
