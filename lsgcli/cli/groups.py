"""Groups of options: declared once, as dataclasses, and taken by any number of commands.

A command takes groups as parameters; ``flat`` gives it the signature that Typer reads, with an
option for every field::

    @dataclass(frozen=True)
    class Messages:
        quiet: Annotated[bool, typer.Option("--quiet", "-q")] = False

    @flat
    def translate(messages: Messages) -> None: ...

A field with ``declared`` settings is a dict of those that were given.
"""

from __future__ import annotations

import dataclasses
import inspect
from functools import partial, wraps
from inspect import Parameter
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from lsgcli.policy.spec import Setting

OPTIONS = "options"  # in a field's metadata


def flat(command: Callable[..., None], *everywhere: Any) -> Callable[..., None]:
    """Give a command one keyword for every option, in place of its groups.

    ``everywhere`` are groups that are made for every command, before it is called.
    """
    own = inspect.signature(command, eval_str=True).parameters
    parameters = [
        each.replace(kind=Parameter.KEYWORD_ONLY)
        for parameter in own.values()
        for each in (
            _of_group(parameter.annotation)
            if dataclasses.is_dataclass(parameter.annotation)
            else [parameter]
        )
    ]
    parameters += [each for group in everywhere for each in _of_group(group)]

    @wraps(command)
    def called(**given: Any) -> None:
        for group in everywhere:
            _group(group, given)
        arguments = {
            name: _group(parameter.annotation, given)
            if dataclasses.is_dataclass(parameter.annotation)
            else given[name]
            for name, parameter in own.items()
        }
        command(**arguments)

    called.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    called.__annotations__ = {each.name: each.annotation for each in parameters}
    return called


def section(title: str) -> Callable[..., Any]:
    """A section of the help; called as ``typer.Option`` it makes an option that stands in it."""
    return partial(typer.Option, rich_help_panel=title)


def declared(settings: Iterable[Setting], panel: Callable[..., Any]) -> dict[str, Any]:
    """Metadata of a field that stands for settings of policies, with an option for each."""
    return {OPTIONS: {each.name: _option(each, panel) for each in settings}}


def _option(setting: Setting, panel: Callable[..., Any]) -> Any:
    if setting.choices:
        limits: dict[str, Any] = {}
    else:
        limits = {"min": setting.least, "max": setting.most}
    option = panel(
        *setting.options,
        help=setting.help,
        metavar=setting.metavar or (None if setting.choices else "N"),
        **limits,
    )
    kind = setting.kind if setting.choices else setting.type
    return Annotated[kind | None, option]


def _of_group(group: Any) -> Iterator[Parameter]:
    """The options of a group."""
    hints = get_type_hints(group, include_extras=True)
    for field in dataclasses.fields(group):
        if OPTIONS in field.metadata:
            for name, annotation in field.metadata[OPTIONS].items():
                yield Parameter(name, Parameter.KEYWORD_ONLY, default=None, annotation=annotation)
        else:
            default = Parameter.empty if field.default is dataclasses.MISSING else field.default
            annotation = hints[field.name]
            yield Parameter(
                field.name, Parameter.KEYWORD_ONLY, default=default, annotation=annotation
            )


def _group(group: Any, given: Mapping[str, Any]) -> Any:
    """Make a group of the options that were given."""
    values: dict[str, Any] = {}
    for field in dataclasses.fields(group):
        if OPTIONS in field.metadata:
            named = {name: given[name] for name in field.metadata[OPTIONS]}
            values[field.name] = {name: v for name, v in named.items() if v is not None}
        else:
            values[field.name] = given[field.name]
    return group(**values)
