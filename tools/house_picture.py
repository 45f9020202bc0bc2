"""The picture of the house, docs/pictures/house.svg, drawn from the imports: `make house`.

Every room stands on a floor above all rooms it imports. An arrow says that a room imports another;
one that follows from two others is left out, because whoever may import a room reaches what is
beneath it. Only where a room stands beside others is chosen here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

from config import ROOT
from tools.house import ROOMS, files, imports, module_of, room_of

PICTURE = ROOT / "docs" / "pictures" / "house.svg"
WIDTH, MARGIN = 1050, 14
HEAD, SUB, SUB_GAP, PAD, GAP, TRACK = 40, 24, 18, 10, 56, 9
"""In pixels: the name of a room, a sub-room, the gap of two, the edge, between floors, arrows."""

STANDS = {
    "app": (20, 1010, "wires the doors"),
    "cli": (682, 348, "flask serve, sync, import, user …"),
    "worker": (760, 164, "what time does"),
    "admin": (20, 570, "the browser door: pages, lists, forms"),
    "api": (602, 68, "/healthz"),
    "demo": (682, 68, "a dealer"),
    "sync": (796, 128, "the workbook door"),
    "importing": (936, 94, "old registers"),
    "services": (20, 730, "what people do; the only code that changes a case"),
    "wording": (800, 230, "codes and facts into sentences"),
    "models": (20, 590, "the record: every table"),
    "notify": (650, 84, "mail, robots"),
    "database": (770, 84, "sessions"),
    "files": (866, 96, "tables in, out"),
    "policy": (20, 730, "what a regulation says: pure, no database, no clock"),
    "config": (770, 84, "settings"),
    "enums": (866, 164, "of logins and workbooks"),
}
"""Where a room stands from the left, how wide it is, and what it is in a few words."""

STYLE = (
    "text{font-family:'DejaVu Sans',Verdana,Arial,sans-serif;fill:#1d2733}"
    ".name{font-size:13px;font-weight:bold}.says{font-size:10px;fill:#51606f}"
    ".sub{font-size:9.8px}"
    ".room{fill:#eef3f8;stroke:#5b7186}.floor{fill:#fff;stroke:#9fb0c0}"
    ".arrow{fill:none;stroke:#5b7186;stroke-width:1.3}"
)

STRETCHED = {"api", "demo", "importing"}
"""Rooms drawn as high as their floor, so that their arrows leave beneath it."""

Graph = dict[str, set[str]]
Upright = tuple[float, float, float]
"""An upright piece of an arrow: its x, where it begins and where it ends."""


@dataclass
class Box:
    """A rectangle of the picture with its name, what it says, and the boxes inside it."""

    name: str
    x: float
    width: float
    says: str = ""
    y: float = 0
    height: float = HEAD
    inside: list[Box] = field(default_factory=list)

    @property
    def right(self) -> float:
        return self.x + self.width

    @property
    def bottom(self) -> float:
        return self.y + self.height


@dataclass
class Arrow:
    """An arrow from a room down to another: where it leaves, where it runs, where it arrives."""

    source: Box
    target: Box
    leaves: float = 0
    runs: float = 0
    arrives: float = 0


def rooms_imported() -> Graph:
    """For every room and sub-room the ones it imports, as the files of the house do now."""
    graph: Graph = {room: set() for room in ROOMS if room != "migrations"}
    for path in files():
        own = room_of(module_of(path))
        if own in graph:
            reached = {room_of(name) for _, name in imports(path)}
            graph[own] |= (reached & graph.keys()) - {own}
    return graph


def whole_rooms(graph: Graph) -> Graph:
    """The same for rooms as wholes."""
    rooms: Graph = {}
    for own, wanted in graph.items():
        room = own.partition(".")[0]
        rooms.setdefault(room, set()).update({w.partition(".")[0] for w in wanted} - {room})
    return rooms


def within(graph: Graph, room: str) -> Graph:
    """The sub-rooms of a room and which of them they import."""
    subs = {own for own in graph if own.startswith(f"{room}.")}
    return {own: graph[own] & subs for own in subs}


def floors(graph: Graph) -> dict[str, int]:
    """On which floor each one stands: one above the highest of those it imports."""
    found: dict[str, int] = {}
    while waiting := sorted(graph.keys() - found.keys()):
        for name in waiting:
            if graph[name] <= found.keys():
                found[name] = 1 + max((found[below] for below in graph[name]), default=-1)
    return found


def reduced(graph: Graph) -> Graph:
    """The arrows that do not follow from others."""
    return {
        own: {w for w in wanted if not any(w in _reached(graph, v) for v in wanted - {w})}
        for own, wanted in graph.items()
    }


def _reached(graph: Graph, name: str) -> set[str]:
    found, waiting = set[str](), [name]
    while waiting:
        fresh = graph[waiting.pop()] - found
        found |= fresh
        waiting += sorted(fresh)
    return found


def furnished(graph: Graph) -> list[list[Box]]:
    """The rooms with their sub-rooms inside, a list for each floor, the highest first."""
    stands = floors(whole_rooms(graph))
    rows: list[list[Box]] = [[] for _ in range(max(stands.values()) + 1)]
    for name in STANDS:
        rows[-1 - stands[name]].append(_room(name, within(graph, name)))
    _put_on_floors(rows, reduced(whole_rooms(graph)))
    return rows


def _room(name: str, subs: Graph) -> Box:
    x, width, says = STANDS[name]
    box = Box(name, x, width, says)
    stands = floors(subs)
    for level in sorted(set(stands.values()), reverse=True):
        row = sorted(sub for sub in subs if stands[sub] == level)
        box.inside += _in_a_row(row, box, subs)
        box.height += SUB + SUB_GAP
    box.height += (PAD - SUB_GAP) if subs else 0
    return box


def _in_a_row(row: list[str], box: Box, subs: Graph) -> Iterator[Box]:
    """The sub-rooms of one floor of a room; one that others use is wider, for their arrows."""
    users = {sub: 1 + sum(sub in wanted for wanted in subs.values()) for sub in row}
    left, room = box.x + PAD, box.width - 2 * PAD - 6 * (len(row) - 1)
    for sub in row:
        wide = room * users[sub] / sum(users.values())
        yield Box(sub, left, wide, y=box.height, height=SUB)
        left += wide + 6


def _put_on_floors(rows: list[list[Box]], arrows: Graph) -> None:
    """Give every box its height above the ground; between two floors there is room for arrows."""
    y: float = MARGIN
    for row in rows:
        tallest = max(box.height for box in row)
        for box in row:
            box.y = y
            for inner in box.inside:
                inner.y += y
            if not box.inside:
                box.height = tallest if box.name in STRETCHED else HEAD
        y += tallest + GAP


def routed(rows: list[list[Box]], graph: Graph) -> list[Arrow]:
    """Every arrow with a way of its own: straight down where it can, else through a free lane."""
    boxes = {box.name: box for row in rows for box in row}
    taken: list[Upright] = []
    arrows = [Arrow(boxes[a], boxes[b]) for a in boxes for b in sorted(graph[a])]
    for arrow in sorted(arrows, key=_crookedness):
        source, target = arrow.source, arrow.target
        down = (source.bottom, target.y)
        passed = [box for row in rows for box in row if source.y < box.y < target.y]
        arrow.runs = _lane(arrow, passed, taken)
        taken.append((arrow.runs, *down))
        arrow.leaves = _port(source, arrow.runs, taken, down=(source.bottom, source.bottom + GAP))
        arrow.arrives = _port(target, arrow.runs, taken, down=(target.y - GAP, target.y))
        taken += [(arrow.leaves, source.bottom, source.bottom + GAP)]
        taken += [(arrow.arrives, target.y - GAP, target.y)]
    return arrows


def _overlap(source: Box, target: Box) -> tuple[float, float]:
    return max(source.x, target.x) + 8, min(source.right, target.right) - 8


def _crookedness(arrow: Arrow) -> tuple[bool, float, str]:
    left, right = _overlap(arrow.source, arrow.target)
    return left > right, arrow.target.y - arrow.source.y, arrow.source.name


def _free(x: float, taken: Iterable[Upright], down: tuple[float, float]) -> bool:
    top, bottom = down
    return all(
        abs(x - other) >= TRACK or end <= top or bottom <= begin for other, begin, end in taken
    )


def _lane(arrow: Arrow, passed: list[Box], taken: list[Upright]) -> float:
    """An x on which an arrow may pass the floors between, as near to straight as there is one."""
    left, right = _overlap(arrow.source, arrow.target)
    down = (arrow.source.bottom, arrow.target.y)
    middle = (left + right) / 2
    lanes = [
        x
        for x in range(MARGIN, WIDTH - MARGIN)
        if _free(x, taken, down) and not any(box.x - 6 < x < box.right + 6 for box in passed)
    ]
    if left > right and not passed:
        left, right = arrow.target.x + 8, arrow.target.right - 8
    inside = [x for x in lanes if left <= x <= right]
    return min(inside or lanes, key=lambda x: (abs(x - middle), x))


def _port(box: Box, x: float, taken: list[Upright], *, down: tuple[float, float]) -> float:
    """Where an arrow on this lane touches a box: straight, or at the free place next to it."""
    if box.x + 6 <= x <= box.right - 6:
        return x
    places = range(int(box.x) + 8, int(box.right) - 7)
    return min((p for p in places if _free(p, taken, down)), key=lambda p: (abs(p - x), p))


def drawn() -> str:
    """The picture as the text of an SVG."""
    graph = rooms_imported()
    rows = furnished(graph)
    arrows = routed(rows, reduced(whole_rooms(graph)))
    parts = [_path(points) for points in _ways(rows, arrows)]
    for row in rows:
        for box in row:
            parts += _boxed(box)
            parts += [
                _path(points) for points in _inner_ways(box, reduced(within(graph, box.name)))
            ]
    return _svg(parts, height=max(box.bottom for row in rows for box in row) + MARGIN)


def _ways(rows: list[list[Box]], arrows: list[Arrow]) -> Iterator[list[tuple[float, float]]]:
    """The corners of each arrow; two that turn between the same floors turn at heights apart."""
    turns: Counter[float] = Counter()
    for arrow in arrows:
        source, target = arrow.source, arrow.target
        floor = max(b.bottom for row in rows for b in row if b.y == source.y)
        points = [(arrow.leaves, source.bottom)]
        if arrow.leaves != arrow.runs:
            turns[floor] += 1
            y = floor + turns[floor] * TRACK
            points += [(arrow.leaves, y), (arrow.runs, y)]
        if arrow.arrives != arrow.runs:
            above = max(b.bottom for row in rows for b in row if b.bottom < target.y)
            turns[above] += 1
            y = above + turns[above] * TRACK
            points += [(arrow.runs, y), (arrow.arrives, y)]
        yield [*points, (arrow.arrives, target.y - 1)]


def _inner_ways(box: Box, graph: Mapping[str, set[str]]) -> Iterator[list[tuple[float, float]]]:
    inside = {inner.name: inner for inner in box.inside}
    for name, wanted in sorted(graph.items()):
        for below in sorted(wanted):
            source, target = inside[name], inside[below]
            left, right = _overlap(source, target)
            x = (left + right) / 2
            yield [(x, source.bottom), (x, target.y - 1)]


def _path(points: list[tuple[float, float]]) -> str:
    corners = " L".join(f"{x:g} {y:g}" for x, y in points)
    return f'<path class="arrow" marker-end="url(#head)" d="M{corners}"/>'


def _boxed(box: Box) -> Iterator[str]:
    yield _rectangle(box, "room")
    yield _text(box.x + PAD, box.y + 17, "name", text=box.name)
    yield _text(box.x + PAD, box.y + 31, "says", text=box.says)
    for inner in box.inside:
        yield _rectangle(inner, "floor")
        middle = inner.x + inner.width / 2
        yield _text(middle, inner.y + 16, "sub", text=inner.name.partition(".")[2], middle=True)


def _rectangle(box: Box, kind: str) -> str:
    place = f'x="{box.x:g}" y="{box.y:g}" width="{box.width:g}" height="{box.height:g}"'
    return f'<rect class="{kind}" rx="4" {place}/>'


def _text(x: float, y: float, kind: str, *, text: str, middle: bool = False) -> str:
    anchor = ' text-anchor="middle"' if middle else ""
    return f'<text class="{kind}" x="{x:g}" y="{y:g}"{anchor}>{escape(text)}</text>'


def _svg(parts: list[str], *, height: float) -> str:
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:g}"'
        f' width="{WIDTH}" height="{height:g}">',
        "<title>The rooms of Redress and what each of them imports</title>",
        f"<style>{STYLE}</style>",
        '<marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7"'
        ' orient="auto"><path d="M0 0L8 4L0 8z" fill="#5b7186"/></marker>',
        f'<rect width="{WIDTH}" height="{height:g}" fill="#fff"/>',
    )
    return "\n".join([*head, *parts, "</svg>"]) + "\n"


def main(path: Path = PICTURE) -> None:
    """Write the picture."""
    path.write_text(drawn(), encoding="utf-8")


if __name__ == "__main__":
    main()
