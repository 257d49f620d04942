"""``--config run.toml``: a file of options, of which those on the command line are replaced."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from fastvec.cli.parser import FROM_FILES, Parser, did_you_mean, invalid_choice
from fastvec.formats.places import on_disk

__all__ = ["add_config"]


def add_config(parser: argparse.ArgumentParser) -> None:
    """Add the option to a parser."""
    parser.add_argument(
        "--config",
        metavar="FILE",
        help="TOML file with options and files, such as vector_size = 300; the command line takes precedence",
    )
    assert isinstance(parser, Parser)
    parser.files_of_defaults["--config"] = _read


def _read(parser: Parser, path: str) -> dict[str, Any]:
    """Return the values in a file, by where the parser puts them."""
    actions = {name: action for action in parser._actions for name in _names(action)}
    values = {}
    for key, value in _content(path).items():
        action = actions.get(key.replace("-", "_"))
        if action is None:
            command = parser.prog
            raise ValueError(f"{path}: {command} has no option {key!r}{did_you_mean(key, actions)}")
        try:
            values[action.dest] = _converted(action, value)
        except (ValueError, argparse.ArgumentTypeError) as error:
            raise ValueError(f"{path}: {key}: {error}") from None
    return values


def _content(path: str) -> dict[str, Any]:
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        try:
            import tomli as tomllib
        except ImportError:
            raise ImportError(
                "--config needs tomli before Python 3.11: pip install 'fastvec[config]'"
            ) from None
    file = on_disk(path, "--config")
    try:
        content: dict[str, Any] = tomllib.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path}: not a file of TOML ({error})") from None
    return content


def _names(action: argparse.Action) -> list[str]:
    """Return what a file may call an argument."""
    if not action.option_strings:
        return [action.dest]
    flags = [flag for flag in action.option_strings if flag.startswith("--")]
    refused = (*FROM_FILES, "--help")
    return [flag[2:].replace("-", "_") for flag in flags[:1] if flag not in refused]


def _converted(action: argparse.Action, value: Any) -> Any:
    """Return a value of a file as that of an argument, after validation."""
    if action.nargs == 0:
        if not isinstance(value, bool):
            raise ValueError(f"must be true or false, got {value!r}")
        if isinstance(action, argparse.BooleanOptionalAction):
            return value
        return action.const if value else action.default
    if action.nargs in ("+", "*"):
        return [_one(action, item) for item in (value if isinstance(value, list) else [value])]
    return _one(action, value)


def _one(action: argparse.Action, value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise ValueError(f"must be a number or a str, got {value!r}")
    convert: Any = action.type or str
    try:
        converted = convert(str(value))
    except ValueError:
        raise ValueError(f"invalid {convert.__name__} value: {value!r}") from None
    if action.choices is not None and converted not in action.choices:
        raise ValueError(invalid_choice(action, value))
    return converted
