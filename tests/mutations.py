"""Changes of JSON values, to test what reads untrusted JSON."""

import copy

from hypothesis import strategies as st

numbers = st.one_of(
    st.integers(-2, 3), st.sampled_from([10**9, 2**53, 2**63, 10**400, -(10**400)]), st.floats(width=64)
)
leaves = st.one_of(st.none(), st.booleans(), numbers, st.text(st.characters(), max_size=4))
junk = st.recursive(leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner))


def places(value, path=()):
    """Yield the path of every node of a JSON value."""
    yield path
    if isinstance(value, (dict, list)):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield from places(value[key], (*path, key))


def changed(header, path, change, value):
    """Return the header with the node at `path` replaced, removed, or given a further entry."""
    if not path:
        return value if change == "replace" else header | {"more": value}
    result = copy.deepcopy(header)
    node = result
    for key in path[:-1]:
        node = node[key]
    if change == "remove":
        del node[path[-1]]
    elif change == "extend" and isinstance(node[path[-1]], dict):
        node[path[-1]]["more"] = value
    elif change == "extend" and isinstance(node[path[-1]], list):
        node[path[-1]].append(value)
    else:
        node[path[-1]] = value
    return result


@st.composite
def mutations(draw, value):
    """Draw a JSON value that differs from `value` in one node: replaced, removed, or with a further entry."""
    path = draw(st.sampled_from(sorted(places(value), key=str)))
    return changed(value, path, draw(st.sampled_from(["replace", "replace", "remove", "extend"])), draw(junk))


def covers(saved, read, uncompared=frozenset(), renamed=None):
    """Return whether all that was read is saved again; numbers may become floats, and an empty part may go."""
    if isinstance(read, dict):
        values = {(renamed or {}).get(key, key): read[key] for key in read.keys() - uncompared}
        return isinstance(saved, dict) and all(
            covers(saved[key], value, uncompared, renamed) if key in saved else value in (None, [])
            for key, value in values.items()
        )
    if isinstance(read, list):
        pairs = zip(saved, read, strict=True) if isinstance(saved, list) and len(saved) == len(read) else [(0, 1)]
        return all(covers(x, y, uncompared, renamed) for x, y in pairs)
    return saved == read and isinstance(saved, bool) == isinstance(read, bool)
