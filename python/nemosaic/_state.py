"""A loader's place in its epoch as JSON values, and why a saved one does not fit."""

from typing import Any, Dict, List, Optional

from ._errors import NemosaicError

VERSION = 1
_needed = ("epoch", "samples", "global_batch", "length", "seed", "shuffle", "identity")


def check_state(state: Dict[str, Any], own: Dict[str, Any]) -> None:
    """Raises NemosaicError where `state` is none, or is of another stream of samples than `own`; says what differs."""
    if not isinstance(state, dict):
        raise NemosaicError("bad-input", f"expected the state of a loader (state_dict()), got {type(state).__name__}")
    if state.get("version") != VERSION:
        raise NemosaicError("unsupported", f"expected a loader state of version {VERSION}, got {state.get('version')!r}")
    missing = [name for name in _needed if name not in state]
    if missing:
        raise NemosaicError("bad-input", f"expected the state of a loader (state_dict()), got one without {', '.join(missing)}")
    difference = _difference(state, own)
    if difference is not None:
        raise NemosaicError("bad-input", f"the state was saved with another {difference}: its samples would not continue")


def _difference(state: Dict[str, Any], own: Dict[str, Any]) -> Optional[str]:
    for name in ("split", "seed"):
        if name in state and state[name] != own[name]:
            return f"{name} ({state[name]} then, {own[name]} now)"
    if state.get("pool", own["pool"]) != own["pool"]:
        return "pool, or this one was imported again since then"
    if state["identity"] != own["identity"]:
        then = state.get("settings")
        changed = changes(then, own["settings"])
        # How many epochs there will be decides nothing but which are the last.
        only_epochs = [line.split()[0] for line in changed] == ["schedule.epochs"]
        if not only_epochs or own["settings"]["schedule"]["plainLast"]:
            return f"setting ({'; '.join(changed)})" if changed else "pool, settings or split"
    if state["length"] != own["length"]:
        return f"number of samples ({state['length']} then, {own['length']} now)"
    if state["shuffle"] != own["shuffle"]:
        return f"shuffle ({state['shuffle']} then, {own['shuffle']} now)"
    return None


def changes(then: Any, now: Any, path: str = "") -> List[str]:
    """The keys in which two trees of settings differ, "band.k 30 then, 50 now"; none where one of them is no tree."""
    if not isinstance(then, dict) or not isinstance(now, dict):
        return []
    found: List[str] = []
    for key in [*then, *(key for key in now if key not in then)]:
        name, before, after = f"{path}{key}", then.get(key), now.get(key)
        if before == after:
            continue
        if isinstance(before, dict) and isinstance(after, dict):
            found += changes(before, after, f"{name}.")
        else:
            found.append(f"{name} {before} then, {after} now")
    return found
