"""Dataclasses that cost little to declare: a start declares a hundred, and makes instances of some.

`dataclasses` writes and compiles up to eight methods for each class, a third of a millisecond: of what
importing our modules takes, the largest part. Here the methods are the same for all classes and go by the
fields, and the first instance of a class is what compiles its `__init__`. What is declared means the same.
"""

from __future__ import annotations

import dataclasses
from dataclasses import field, fields, replace
from functools import cache, partial
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable
    from dataclasses import dataclass
else:

    def dataclass(cls: type | None = None, /, **given: bool) -> Any:  # noqa: ANN401  # a class, or what takes one
        """Declare a class as `dataclasses.dataclass` does."""
        return partial(_declare, given) if cls is None else _declare(given, cls)


__all__ = ("dataclass", "field", "fields", "replace")

_OURS: Final = frozenset(("frozen", "slots", "kw_only"))
"""What is said of a class; one of which more is said, or that inherits fields, is left to `dataclasses`."""

_UNSET: Final = object()


def _declare(given: dict[str, bool], cls: type) -> type:
    inherits = any(map(dataclasses.is_dataclass, cls.__mro__[1:]))
    if inherits or not given.keys() <= _OURS:
        whole: type = dataclasses.dataclass(**given)(cls)
        return whole
    frozen = given.get("frozen", False)
    methods: dict[str, Any] = dict(_METHODS)
    if frozen:
        methods |= _FROZEN
    elif "__hash__" not in vars(cls):
        methods["__hash__"] = None
    own = vars(cls).keys() & methods
    made: Any = dataclasses.dataclass(
        init=False, repr=False, eq=False, slots=given.get("slots", False), kw_only=given.get("kw_only", False)
    )(cls)
    for name, method in methods.items():
        if name not in own:
            setattr(made, name, method)
    # Who inherits from it is asked to be as frozen.
    made.__dataclass_params__.frozen = frozen
    if "__init__" not in vars(cls):
        made.__init__ = _compile_later(made, frozen=frozen)
    declared: type = made
    return declared


def _compile_later(cls: Any, *, frozen: bool) -> Callable[..., None]:  # noqa: ANN401  # a class
    """Return what puts the real `__init__` of a class into its own place when it is first called."""

    def __init__(self: object, *arguments: object, **named: object) -> None:  # noqa: N807
        cls.__init__ = _compile_init(cls, frozen=frozen)
        cls.__init__(self, *arguments, **named)

    return __init__


def _compile_init(cls: type[Any], *, frozen: bool) -> Callable[..., None]:
    names: dict[str, Any] = {"set__": object.__setattr__, "unset__": _UNSET}
    positional, by_name = ["self"], list[str]()
    body: list[str] = []
    for one in fields(cls):
        name, value = one.name, one.name
        if one.default_factory is not dataclasses.MISSING:
            names[f"make__{name}"], default = one.default_factory, "=unset__"
            value = f"make__{name}() if {name} is unset__ else {name}" if one.init else f"make__{name}()"
        elif one.default is not dataclasses.MISSING:
            names[f"default__{name}"], default = one.default, f"=default__{name}"
            value = name if one.init else f"default__{name}"
        elif one.init:
            default = ""
        else:
            # For __post_init__ to set.
            continue
        if one.init:
            (by_name if one.kw_only else positional).append(name + default)
        body.append(f"set__(self, {name!r}, {value})" if frozen else f"self.{name} = {value}")
    if hasattr(cls, "__post_init__"):
        body.append("self.__post_init__()")
    signature = ", ".join([*positional, *(["*", *by_name] if by_name else [])])
    exec("\n ".join([f"def __init__({signature}):", *(body or ["pass"])]), names)  # noqa: S102  # names alone
    made: Callable[..., None] = names["__init__"]
    made.__qualname__ = f"{cls.__qualname__}.__init__"
    return made


@cache
def _reader(cls: Any) -> Callable[[Any], tuple[object, ...]]:  # noqa: ANN401  # a class
    """Return what reads the fields by which objects of a class are compared."""
    names = [one.name for one in fields(cls) if one.compare]
    if len(names) > 1:
        return attrgetter(*names)
    return lambda value: tuple(getattr(value, name) for name in names)


def _repr(self: Any) -> str:  # noqa: ANN401  # a value, here and below
    shown = (f"{one.name}={getattr(self, one.name)!r}" for one in fields(self) if one.repr)
    return f"{type(self).__qualname__}({', '.join(shown)})"


def _eq(self: Any, other: Any) -> Any:  # noqa: ANN401
    if other.__class__ is not self.__class__:
        return NotImplemented
    read = _reader(self.__class__)
    return read(self) == read(other)


def _hash(self: Any) -> int:  # noqa: ANN401
    return hash(_reader(self.__class__)(self))


def _set(self: Any, name: str, value: object) -> None:  # noqa: ANN401
    if _is_fixed(type(self), name):
        raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")
    object.__setattr__(self, name, value)


def _delete(self: Any, name: str) -> None:  # noqa: ANN401
    if _is_fixed(type(self), name):
        raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")
    object.__delattr__(self, name)


def _is_fixed(cls: Any, name: str) -> bool:  # noqa: ANN401  # a class
    # A class that only inherits from a frozen one may have more of its own.
    return "__dataclass_params__" in vars(cls) or name in cls.__dataclass_fields__


def _get_state(self: Any) -> list[object]:  # noqa: ANN401
    return [getattr(self, one.name) for one in fields(self)]


def _set_state(self: Any, state: list[object]) -> None:  # noqa: ANN401
    for one, value in zip(fields(self), state, strict=True):
        object.__setattr__(self, one.name, value)


_METHODS: Final = {"__repr__": _repr, "__eq__": _eq}
_FROZEN: Final = {
    "__hash__": _hash,
    "__setattr__": _set,
    "__delattr__": _delete,
    "__getstate__": _get_state,
    "__setstate__": _set_state,
}
