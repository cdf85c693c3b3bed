"""Any document is loaded, or refused with its problems."""

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from aispine.flow.validation import check
from tests.unit.flow.documents import HEAD, codes


@st.composite
def dags(draw):
    """Nodes in the order of an acyclic graph, with the earlier nodes that each one depends on."""
    count = draw(st.integers(1, 25))
    return [draw(st.sets(st.integers(0, index - 1), max_size=4)) if index else set() for index in range(count)]


@given(dags(), st.randoms(use_true_random=False))
@settings(max_examples=150, deadline=None)
def test_any_acyclic_graph_validates_in_any_order_and_closing_it_makes_a_cycle(graph, rng):
    lines = [
        f"  - {{id: n{index}, type: transform, depends_on: [{', '.join(f'n{each}' for each in sources)}]}}\n"
        for index, sources in enumerate(graph)
    ]
    shuffled = rng.sample(lines, len(lines))
    assert codes(HEAD + "".join(shuffled)) == []
    for target, sources in enumerate(graph):
        for source in list(sources)[:1]:
            back = f"  - {{id: back, type: decision, depends_on: [n{target}], condition: true, then: n{source}}}\n"
            assert codes(HEAD + "".join(shuffled) + back) == ["cycle"]


KEYS = ("id", "type", "body", "branches", "then", "else", "depends_on", "cases", "items", "set", "retry", "condition")
TEXTS = ("a", "b", "input", "decision", "loop", "map", "fork", "join", "nodes.a.output", "${item}", "${", "output.x>1")
SCALARS = (None, True, 3, -1, 1.5, "", "1.0.0", "30s")
WORDS = st.sampled_from((*KEYS, *TEXTS))
VALUES = st.recursive(
    WORDS | st.sampled_from(SCALARS),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=5),
    max_leaves=30,
)


@given(VALUES)
@settings(max_examples=300, deadline=None)
def test_any_nodes_are_loaded_or_refused(value):
    flow, found = check(HEAD.replace("nodes:\n", "") + yaml.safe_dump({"nodes": value}))
    assert flow is not None or found


@given(st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=8))
@settings(max_examples=300, deadline=None)
def test_any_keys_of_a_node_are_loaded_or_refused(node):
    flow, found = check(HEAD.replace("nodes:\n", "") + yaml.safe_dump({"nodes": [{"id": "a", "type": "loop"} | node]}))
    assert flow is not None or found
