"""A verb of the command line: what was typed after it, its help, and where it is registered.

Adding a verb is one file in ``cli/verbs/`` with one function under the decorator `verb`. Options
are read by `argparse`; names and ``key=value`` words are sorted here, because they may stand in
any order and in any number.
"""

from __future__ import annotations

import argparse
import importlib
import pkgutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

from lodestone.border.errors import InputError
from lodestone.border.words import suggestion

__all__ = ["Flag", "Verb", "Words", "setting_flags", "commands", "verb"]


@dataclass(frozen=True)
class Flag:
    """An option of a verb.

    Attributes
    ----------
    name
        As typed, with two dashes.
    value
        Whether it takes a value; a switch otherwise.
    optional
        What stands where its value is left out at the end of the line, if it may be.
    setting
        Key of the setting it is another spelling of, if it is one.
    """

    name: str
    value: bool = True
    optional: str | None = None
    setting: str | None = None


SWITCHES = (Flag("--quiet", value=False), Flag("--json", value=False))
_SHORT = {"-q": "--quiet"}


@dataclass
class Words:
    """What was typed after the verb: names, ``key=value`` words, and flags with their values."""

    verb: str
    names: list[str] = field(default_factory=list)
    pairs: list[str] = field(default_factory=list)
    flags: dict[str, str] = field(default_factory=dict)
    #: Settings given as flags, by their key.
    settings: dict[str, Any] = field(default_factory=dict)

    def on(self, flag: str) -> bool:
        """Whether a switch was given."""
        return flag in self.flags

    def one(self, what: str) -> str:
        """Return the only name, or say what is missing."""
        if not self.names:
            raise InputError(
                f"names no {what}", key=self.verb, hint=f"See 'lodestone {self.verb} --help'."
            )
        if len(self.names) > 1:
            raise InputError(
                f"takes one {what}, got {', '.join(self.names)}", key=f"lodestone {self.verb}"
            )
        return self.names[0]

    def no_pairs(self) -> None:
        """Refuse ``key=value`` words where none are meant."""
        if self.pairs:
            raise InputError(f"'{self.pairs[0]}' means nothing here", key=f"lodestone {self.verb}")


class _Refused(Exception):
    """What argparse has to say."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise _Refused(message)


class _Once(argparse.Action):
    """Keep a flag's value; a flag given twice is refused."""

    def __call__(
        self, parser: Any, namespace: Any, values: Any, option_string: str | None = None
    ) -> None:
        held = vars(namespace).setdefault("flags", {})
        if self.dest in held:
            raise InputError("is given twice", key=self.dest)
        held[self.dest] = "" if values in (None, []) else values


@dataclass(frozen=True)
class Verb:
    """One command: what it does in a line, how it is written, and help that teaches."""

    name: str
    work: Callable[[Words], int]
    about: str
    usage: str
    more: Callable[[], str]
    flags: tuple[Flag, ...]
    order: int

    def read(self, argv: Sequence[str]) -> Words:
        """Sort the words after the verb.

        Raises
        ------
        InputError
            An unknown option (with the nearest known one), one given twice, a value missing or
            too many.
        """
        parser = _Parser(add_help=False, allow_abbrev=False, argument_default=argparse.SUPPRESS)
        flags = {f.name: f for f in (*SWITCHES, *_spelt_out(self.flags))}
        for name, flag in flags.items():
            nargs: Any = 0 if not flag.value else ("?" if flag.optional is not None else None)
            short = [s for s, long in _SHORT.items() if long == name]
            parser.add_argument(
                *short, name, dest=name, action=_Once, nargs=nargs, const=flag.optional
            )
        parser.add_argument("words", nargs="*")
        known = [*flags, "--help"]
        for word in argv:
            option = _SHORT.get(word.partition("=")[0], word.partition("=")[0])
            if word.startswith("-") and word != "-" and option not in known and not _number(word):
                raise InputError(
                    f"unknown option '{option}'",
                    key=f"lodestone {self.name}",
                    hint=f"{suggestion(option, known)} See 'lodestone {self.name} --help'.".strip(),
                )
            if "=" in word and option in flags and not flags[option].value:
                raise InputError("takes no value", key=option)
        try:
            read = parser.parse_intermixed_args(list(argv))
        except _Refused as refused:
            told = str(refused)
            option = next((n for n in flags if n in told), f"lodestone {self.name}")
            if "expected one argument" in told:
                raise InputError(
                    "needs a value", key=option, hint=f"Write {option} VALUE."
                ) from None
            raise InputError(told, key=option) from None
        words = Words(self.name, flags=getattr(read, "flags", {}))
        for word in getattr(read, "words", ()):
            is_pair = "=" in word and not _exists(word)
            (words.pairs if is_pair else words.names).append(word)
        for name, flag in flags.items():
            if flag.setting and name in words.flags:
                words.settings[flag.setting] = words.flags[name]
        return words

    def help(self) -> str:
        """Return the page that ``lodestone VERB --help`` prints."""
        about = f"{self.about[:1].upper()}{self.about[1:]}."
        return f"{self.usage}\n\n{about}\n{self.more().rstrip()}"


def _number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def _exists(word: str) -> bool:
    try:
        return Path(word).exists()
    except (OSError, ValueError):
        return False


_VERBS: dict[str, Verb] = {}


def verb(
    *,
    about: str,
    usage: str,
    more: str | Callable[[], str],
    flags: Sequence[Flag] = (),
    order: int = 50,
) -> Callable[[Callable[[Words], int]], Callable[[Words], int]]:
    """Register a function as the verb of its module's name; a second one of the name is an error.

    Parameters
    ----------
    about
        What it does, in a line without a full stop.
    usage
        How it is written.
    more
        The rest of its help, or a function that makes it.
    flags
        Its options beside ``--quiet``, ``--json`` and ``--help``.
    order
        Its place in the list of commands.
    """

    def register(work: Callable[[Words], int]) -> Callable[[Words], int]:
        name = work.__module__.rpartition(".")[2]
        if name in _VERBS:
            raise ValueError(f"two verbs are called {name!r}")
        text = more if callable(more) else lambda: more
        _VERBS[name] = Verb(name, work, about, usage, text, tuple(flags), order)
        return work

    return register


@cache
def _imported() -> None:
    package = importlib.import_module("lodestone.cli.verbs")
    for item in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"{package.__name__}.{item.name}")


def commands() -> dict[str, Verb]:
    """Return every verb by name, in the order of the help."""
    _imported()
    return dict(sorted(_VERBS.items(), key=lambda item: (item[1].order, item[0])))


def setting_flags(*only: str) -> tuple[Flag, ...]:
    """Return the flags that are another spelling of a setting; all, or those named.

    They stand for themselves until a command is read: the help does not wait for the settings.
    """
    return (Flag(_ALL_SETTINGS, setting=" ".join(only)),)


#: Name of the flag that stands for those of the settings.
_ALL_SETTINGS = "--*"


def _spelt_out(flags: Sequence[Flag]) -> list[Flag]:
    """Flags, with those of the settings in the place of what stands for them."""
    out: list[Flag] = []
    for flag in flags:
        if flag.name != _ALL_SETTINGS:
            out.append(flag)
            continue
        from lodestone.runs.settings import SETTINGS

        only = (flag.setting or "").split()
        found = [Flag(s.flag, setting=s.key) for s in SETTINGS.values() if s.flag]
        out += [f for f in found if not only or f.name in only]
    return out
