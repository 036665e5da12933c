"""What the package exports explains itself: the API reference (npm run api) is made from docstrings."""

import inspect

import nemosaic


def public_parts(name):
    """The exported thing and, of a class, its public methods and properties: (dotted name, object)."""
    thing = getattr(nemosaic, name)
    yield name, thing
    if not inspect.isclass(thing):
        return
    for member, value in vars(thing).items():
        function = value.fget if isinstance(value, property) else getattr(value, "__func__", value)
        if not member.startswith("_") and inspect.isfunction(function):
            yield f"{name}.{member}", function


def test_every_public_name_has_a_docstring():
    names = [name for name in nemosaic.__all__ if callable(getattr(nemosaic, name))]
    assert len(names) >= 7
    parts = [part for name in names for part in public_parts(name)]
    assert len(parts) > 20
    # A class that inherits its docstring (Exception's own text, a NamedTuple's fields) has said nothing of itself.
    assert [name for name, thing in parts if not (vars(thing).get("__doc__") if inspect.isclass(thing) else thing.__doc__)] == []
