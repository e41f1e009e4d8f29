"""Matching: as many pairs as there can be among those who may meet.

Edmonds, "Paths, Trees, and Flowers" (1965): a matching is as large as possible when no augmenting path is left, which
leads from one who has nobody to another such by steps that are outside of the matching and inside of it by turns. The
search for one grows a tree of such steps; an odd circle in it (a blossom) is shrunk to one vertex, since its way
around can be taken in either direction. Gabow, "An Efficient Implementation of Edmonds' Algorithm" (1976), O(n^3).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

Graph = Sequence[frozenset[int]]
"""[n] neighbours of each vertex."""


def perfect(graph: Graph, among: Sequence[int]) -> bool:
    """Whether all vertices in `among` can be paired with each other, each with a neighbour."""
    if len(among) % 2:
        return False
    missing = max((len(graph) - len(graph[vertex]) for vertex in among), default=0)
    if 2 * (len(among) - missing) >= len(among):
        return True  # Dirac (1952): where each has half of the others, there is a circle through all
    place = {vertex: index for index, vertex in enumerate(among)}
    inside = [frozenset(place[other] for other in graph[vertex] if other in place) for vertex in among]
    return -1 not in matching(inside)


def matching(graph: Graph) -> list[int]:
    """[n] whom each vertex is paired with, or -1; as many as possible are paired."""
    mate = [-1] * len(graph)
    for vertex in range(len(graph)):  # a quick start
        if mate[vertex] < 0:
            other = next((other for other in sorted(graph[vertex]) if mate[other] < 0), -1)
            if other >= 0:
                mate[vertex], mate[other] = other, vertex
    for root in range(len(graph)):
        if mate[root] < 0:
            _Search(graph, mate, root).augment()
    return mate


class _Search:
    """An augmenting path from one vertex."""

    def __init__(self, graph: Graph, mate: list[int], root: int) -> None:
        self._graph, self._mate, self._root = graph, mate, root
        self._parent = [-1] * len(graph)
        """From where the tree came to a vertex by a step outside of the matching."""
        self._base = list(range(len(graph)))
        """Vertex that stands for the blossom in which a vertex is."""
        self._outer = [False] * len(graph)
        """Reached by an even number of steps."""

    def augment(self) -> None:
        """Take the path, if there is one: everybody on it changes to the other neighbour."""
        vertex = self._free_end()
        while vertex >= 0:
            before = self._parent[vertex]
            following = self._mate[before]
            self._mate[vertex], self._mate[before] = before, vertex
            vertex = following

    def _free_end(self) -> int:
        """The other end of an augmenting path, or -1."""
        self._outer[self._root] = True
        waiting = deque([self._root])
        while waiting:
            vertex = waiting.popleft()
            for other in sorted(self._graph[vertex]):
                if self._base[vertex] == self._base[other] or self._mate[vertex] == other:
                    continue
                if other == self._root or (self._mate[other] >= 0 and self._parent[self._mate[other]] >= 0):
                    waiting.extend(self._shrink(vertex, other))
                elif self._parent[other] < 0:
                    self._parent[other] = vertex
                    if self._mate[other] < 0:
                        return other
                    self._outer[self._mate[other]] = True
                    waiting.append(self._mate[other])
        return -1

    def _shrink(self, one: int, other: int) -> list[int]:
        """Make one vertex of the circle that the step between these two closes; those that are outer now."""
        base = self._meeting(one, other)
        circle: set[int] = set()
        for vertex, child in ((one, other), (other, one)):
            self._mark(vertex, base, child, circle)
        fresh = []
        for vertex in range(len(self._base)):
            if self._base[vertex] in circle:
                self._base[vertex] = base
                if not self._outer[vertex]:
                    self._outer[vertex] = True
                    fresh.append(vertex)
        return fresh

    def _meeting(self, one: int, other: int) -> int:
        """The first vertex that the ways from both to the root share."""
        seen: set[int] = set()
        vertex = one
        while True:
            vertex = self._base[vertex]
            seen.add(vertex)
            if self._mate[vertex] < 0:
                break  # the root
            vertex = self._parent[self._mate[vertex]]
        vertex = self._base[other]
        while vertex not in seen:
            vertex = self._base[self._parent[self._mate[vertex]]]
        return vertex

    def _mark(self, vertex: int, base: int, child: int, circle: set[int]) -> None:
        """Note the blossoms on the way from `vertex` to `base`, and that it can be gone the other way round."""
        while self._base[vertex] != base:
            circle |= {self._base[vertex], self._base[self._mate[vertex]]}
            self._parent[vertex] = child
            child = self._mate[vertex]
            vertex = self._parent[child]
