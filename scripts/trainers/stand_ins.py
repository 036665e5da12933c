"""Lets data code of a clone be imported alone: its packages without what their __init__ pulls in, and stand-ins for
packages that are not there and that reading data does not need (CUDA operators, video decoders, model code).
"""

import importlib
import importlib.machinery
import os
import sys
import types


def package(name, folder):
    """Makes `name` a package whose modules lie in `folder`, without running its __init__."""
    module = types.ModuleType(name)
    module.__path__ = [folder]
    module.__spec__ = importlib.machinery.ModuleSpec(name, None, is_package=True)
    sys.modules[name] = module
    parent, _, own = name.rpartition(".")
    if parent:
        setattr(sys.modules[parent], own, module)
    return module


def packages(clone, *names):
    for name in names:
        package(name, os.path.join(clone, *name.split(".")))


class Anything:
    """Whatever is asked of it: a class, a decorator, a constant."""

    def __init__(self, *args, **kwargs):
        pass

    def __call__(self, *args, **kwargs):
        return args[0] if len(args) == 1 and callable(args[0]) and not kwargs else self

    def __getattr__(self, name):
        return Anything()

    def __iter__(self):
        return iter(())


class StandIn(types.ModuleType):
    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return Anything if name[:1].isupper() else Anything()


def stand_in(*names):
    """Puts a stand-in in place of each module that cannot be imported; returns the names of those."""
    absent = []
    for name in names:
        try:
            importlib.import_module(name)
        except Exception:
            parts = name.split(".")
            for end in range(1, len(parts) + 1):
                own = ".".join(parts[:end])
                if own not in sys.modules:
                    module = StandIn(own)
                    module.__path__ = []
                    sys.modules[own] = module
                    if end > 1:
                        setattr(sys.modules[".".join(parts[: end - 1])], parts[end - 1], module)
            absent.append(name)
    return absent
