"""Where the nodes of a computation graph stand: in columns from left to right, with few crossings and short lines.

The layered method (Sugiyama, Tagawa and Toda 1981) in its plainest form: columns by longest path, order within a column
by barycentres, then heights by least squares under a minimum distance (pool adjacent violators).
"""

from __future__ import annotations

import itertools
from bisect import bisect_right, insort
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

SWEEPS = 12  # there and back; the best order seen is kept
SLIM = 0.45  # height of a passing line, in rows


@dataclass(frozen=True)
class Layout:
    """Places in units of columns and rows.

    Attributes:
        places: (n, 2) column and row of each node; the smallest of each is 0.
        routes: for each node and each of its inputs, the (k, 2) places that the line passes between the two.
        crossings: how many pairs of lines cross between neighbouring columns.
    """

    places: np.ndarray
    routes: tuple[tuple[np.ndarray, ...], ...]
    crossings: int


def layout(inputs: Sequence[Sequence[int]]) -> Layout:
    """Lay a graph out. ``inputs[i]`` are the nodes that node i is computed from, all of them smaller than i.

    Raises:
        ValueError: an input is not an earlier node.
    """
    if any(not 0 <= j < i for i, before in enumerate(inputs) for j in before):
        raise ValueError("inputs must be earlier nodes")
    n, column = len(inputs), columns(inputs)
    chains = [[_chain(column[j], column[i]) for j in before] for i, before in enumerate(inputs)]
    where = list(column)  # of each node, then of each place that a long line passes
    links: list[tuple[int, int]] = []  # between neighbouring columns
    passing: list[list[list[int]]] = []
    for i, before in enumerate(inputs):
        passing.append([])
        for j, chain in zip(before, chains[i], strict=True):
            stops = list(range(len(where), len(where) + len(chain)))
            where += chain
            path = [j, *stops, i]
            links += itertools.pairwise(path)
            passing[-1].append(stops)
    order, count = _ordered(where, links, inputs)
    rows = _rows(where, links, order, n)
    places = np.column_stack([np.array(where, float), rows])  # (n + passing, 2)
    routes = tuple(tuple(places[stops] for stops in of_node) for of_node in passing)
    return Layout(places[:n], routes, count)


def columns(inputs: Sequence[Sequence[int]]) -> list[int]:
    """The column of each node: one right of its last input; what has no inputs stands just left of its first use."""
    column = [0] * len(inputs)
    for i, before in enumerate(inputs):
        column[i] = max((column[j] + 1 for j in before), default=0)
    for j in range(len(inputs)):
        uses = [column[i] for i, before in enumerate(inputs) if j in before]
        if not inputs[j] and uses:
            column[j] = min(uses) - 1
    return [c - min(column, default=0) for c in column]


def _chain(left: int, right: int) -> list[int]:
    return list(range(left + 1, right))


def _ordered(
    where: Sequence[int], links: Sequence[tuple[int, int]], inputs: Sequence[Sequence[int]]
) -> tuple[list[list[int]], int]:
    """The nodes of each column from top to bottom, and the crossings: the best of several sweeps of barycentres."""
    left: list[list[int]] = [[] for _ in where]
    right: list[list[int]] = [[] for _ in where]
    for a, b in links:
        right[a].append(b)
        left[b].append(a)
    rank = _first_order(len(where), left, len(inputs))
    order = [
        sorted((v for v in range(len(where)) if where[v] == c), key=rank.__getitem__) for c in range(max(where) + 1)
    ]
    best, fewest = [list(column) for column in order], crossings(order, right)
    place = {v: k for column in order for k, v in enumerate(column)}
    for sweep in range(SWEEPS):
        forth = sweep % 2 == 0
        for c in range(len(order)) if forth else reversed(range(len(order))):
            beside = left if forth else right
            centre = {v: _mean(place, beside[v], place[v]) for v in order[c]}
            order[c].sort(key=centre.__getitem__)
            place.update((v, k) for k, v in enumerate(order[c]))
        count = crossings(order, right)
        if count < fewest:
            best, fewest = [list(column) for column in order], count
    return best, fewest


def _first_order(count: int, left: Sequence[Sequence[int]], n: int) -> list[int]:
    """When each node is met on the way back from the last one: trees come out without a crossing."""
    rank, met, stack = [count] * count, 0, [n - 1, *range(n - 2, -1, -1)][::-1]
    while stack:
        v = stack.pop()
        if rank[v] == count:
            rank[v], met = met, met + 1
            stack += list(left[v])[::-1]
    return rank


def crossings(order: Sequence[Sequence[int]], right: Sequence[Sequence[int]]) -> int:
    """How many pairs of links cross, for an order of each column and the links to the next one."""
    place = {v: k for column in order for k, v in enumerate(column)}
    total = 0
    for column in order:
        ends = [place[u] for v in column for u in sorted(right[v], key=place.__getitem__)]
        passed: list[int] = []  # sorted: the ends of the links that start above; those below the present one cross it
        for end in ends:
            total += len(passed) - bisect_right(passed, end)
            insort(passed, end)
    return total


def _rows(where: Sequence[int], links: Sequence[tuple[int, int]], order: Sequence[Sequence[int]], n: int) -> np.ndarray:
    """The height of each node: near the mean of its neighbours, at least a row from the next in its column."""
    size = np.where(np.arange(len(where)) < n, 1.0, SLIM)
    beside: list[list[int]] = [[] for _ in where]
    for a, b in links:
        beside[a].append(b)
        beside[b].append(a)
    rows = np.zeros(len(where))
    for column in order:
        rows[column] = np.cumsum(size[column]) - size[column].sum() / 2
    for sweep in range(2 * SWEEPS):
        for column in order if sweep % 2 else reversed(order):
            wish = np.array([_mean(rows, beside[v], rows[v]) for v in column])
            rows[column] = spread(wish, size[column])
    return rows - rows[:n].min()


def _mean(place: Mapping[int, float] | np.ndarray, nodes: Sequence[int], otherwise: float) -> float:
    """Where the nodes stand on average; np.mean would cost ten times as much for two or three."""
    return sum(place[v] for v in nodes) / len(nodes) if nodes else otherwise


def spread(wish: np.ndarray, size: np.ndarray) -> np.ndarray:
    """The places nearest to ``wish`` (least squares) that keep the order, neighbours half of both sizes apart."""
    gaps = np.concatenate([[0.0], np.cumsum((size[1:] + size[:-1]) / 2)])
    pools: list[tuple[float, int]] = []  # (mean, how many)
    for place in wish - gaps:
        mean, many = float(place), 1
        while pools and pools[-1][0] > mean:
            before, members = pools.pop()
            mean, many = (before * members + mean * many) / (members + many), members + many
        pools.append((mean, many))
    return np.array([mean for mean, many in pools for _ in range(many)]) + gaps
