"""Our declaration of dataclasses means what that of the standard library means."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import pickle
from dataclasses import field
from functools import cached_property
from typing import Any, ClassVar, Final

import pytest

from nixdock import values

KINDS: Final[list[dict[str, bool]]] = [
    {},
    {"frozen": True},
    {"slots": True},
    {"frozen": True, "slots": True},
    {"frozen": True, "slots": True, "kw_only": True},
]


def declare(by: Any, **kind: bool) -> Any:
    """Declare a class that has one of each kind of field."""

    @by(**kind)
    class Sample:
        """A sample."""

        limit: ClassVar[int] = 7
        number: int
        text: str = "x"
        many: list[int] = field(default_factory=list)
        aside: int = field(default=3, compare=False, repr=False)
        fixed: int = field(default=4, init=False)
        found: int = field(init=False, compare=False)
        named: str = field(default="n", kw_only=True)

        def __post_init__(self) -> None:
            if self.number < 0:
                raise ValueError("less than nothing")
            object.__setattr__(self, "found", self.number + 1)

    return Sample


def both(**kind: bool) -> tuple[Any, Any]:
    return declare(dataclasses.dataclass, **kind), declare(values.dataclass, **kind)


@pytest.mark.parametrize("kind", KINDS)
def test_instances_are_made_shown_and_compared_alike(kind: dict[str, bool]) -> None:
    theirs, ours = both(**kind)
    for given in ({"number": 1}, {"number": 2, "text": "y", "many": [1], "aside": 9, "named": "m"}):
        assert repr(ours(**given)) == repr(theirs(**given))
        assert dataclasses.asdict(ours(**given)) == dataclasses.asdict(theirs(**given))
        assert ours(**given) == ours(**given)
        assert (ours(**given) == ours(**{**given, "aside": 8})) is True
        assert ours(**given) != ours(**{**given, "number": 5})
        assert ours(**given) != theirs(**given)
        changed = dataclasses.replace(ours(**given), text="z")
        assert (changed.text, changed.number) == ("z", given["number"])
    assert ours(number=1).many is not ours(number=1).many
    assert [one.name for one in dataclasses.fields(ours)] == [one.name for one in dataclasses.fields(theirs)]
    assert ours.__match_args__ == theirs.__match_args__
    assert getattr(ours, "__slots__", None) == getattr(theirs, "__slots__", None)
    assert (ours.limit, ours.__doc__, ours.__qualname__) == (7, "A sample.", theirs.__qualname__)
    with pytest.raises(ValueError, match="less than nothing"):
        ours(number=-1)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_wrong_is_refused_alike(kind: dict[str, bool]) -> None:
    for words, named in (
        ((), {}),
        ((1,), {"other": 2}),
        ((1, "x", [], 3, 4, "n"), {}),
        ((1,), {"number": 1}),
    ):
        for cls in both(**kind):
            with pytest.raises(TypeError):
                cls(*words, **named)


def parameters(cls: Any) -> list[tuple[str, Any, bool]]:
    found = inspect.signature(cls.__init__).parameters.values()
    return [(one.name, one.kind, one.default is inspect.Parameter.empty) for one in found]


@pytest.mark.parametrize("kind", KINDS)
def test_the_words_of_a_class_are_compiled_at_its_first_instance(kind: dict[str, bool]) -> None:
    theirs, ours = both(**kind)
    assert parameters(ours) != parameters(theirs)
    ours(number=1)
    assert parameters(ours) == parameters(theirs)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if "frozen" in kind])
def test_what_is_frozen_stays_as_it_is(kind: dict[str, bool]) -> None:
    _, ours = both(**kind)
    value = ours(number=1)
    with pytest.raises(dataclasses.FrozenInstanceError):
        value.number = 2
    with pytest.raises(dataclasses.FrozenInstanceError):
        del value.number
    with pytest.raises(dataclasses.FrozenInstanceError):
        value.other = 2
    assert copy.copy(value) == copy.deepcopy(value) == value


@pytest.mark.parametrize("kind", [{}, {"slots": True}])
def test_what_is_not_frozen_has_no_hash(kind: dict[str, bool]) -> None:
    _, ours = both(**kind)
    value = ours(number=1)
    value.number = 2
    assert value == ours(number=2)
    with pytest.raises(TypeError, match="unhashable"):
        hash(value)


@values.dataclass(frozen=True, slots=True)
class Pair:
    """Two."""

    one: int
    two: tuple[int, ...] = ()


@values.dataclass(frozen=True)
class Shape:
    """What others inherit from."""

    sides: int

    @cached_property
    def doubled(self) -> int:
        """Twice the sides."""
        return 2 * self.sides


@dataclasses.dataclass(frozen=True)
class Coloured(Shape):
    """A dataclass of the library's over one of ours."""

    colour: str = "red"


@values.dataclass(frozen=True)
class Named(Shape):
    """One of ours over one of ours."""

    name: str = "n"


class Plain(Shape):
    """A class that is none."""

    extra = 0

    def __repr__(self) -> str:
        return "plain"


@values.dataclass(frozen=True, slots=True)
class Nothing:
    """No field at all."""


def test_values_are_keys_and_go_through_pickle() -> None:
    assert {Pair(1, (2,)): "a"}[Pair(1, (2,))] == "a"
    assert pickle.loads(pickle.dumps(Pair(1, (2,)))) == Pair(1, (2,))
    assert {Nothing(), Nothing()} == {Nothing()}
    assert len({Shape(1), Shape(1), Shape(2)}) == 2
    match Pair(3):
        case Pair(one, two):
            assert (one, two) == (3, ())


def test_classes_inherit_as_from_the_library_s() -> None:
    assert repr(Coloured(3)) == "Coloured(sides=3, colour='red')"
    assert Named(3, "m") == Named(3, "m") != Named(3, "n")
    plain = Plain(4)
    plain.extra = 1
    assert (repr(plain), plain.sides, plain.extra, plain.doubled) == ("plain", 4, 1, 8)
    with pytest.raises(dataclasses.FrozenInstanceError):
        plain.sides = 5  # type: ignore[misc]
    with pytest.raises(dataclasses.FrozenInstanceError):
        Coloured(3).sides = 5  # type: ignore[misc]


@values.dataclass(frozen=True, slots=True)
class Opinionated:
    """One that says itself how it is shown, compared and hashed."""

    number: int

    def __repr__(self) -> str:
        return "me"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Opinionated)

    def __hash__(self) -> int:
        return 1


def test_what_a_class_says_itself_holds() -> None:
    assert repr(Opinionated(1)) == "me"
    assert Opinionated(1) == Opinionated(2)
    assert hash(Opinionated(3)) == 1
