"""The picture of the house is what the imports draw."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from tools import house_picture
from tools.house import ROOMS


def test_the_picture_shows_the_imports_as_they_are() -> None:
    drawn = house_picture.PICTURE.read_text(encoding="utf-8")
    assert drawn == house_picture.drawn(), "the picture is stale; run make house"


def test_every_room_stands_in_the_picture() -> None:
    rooms = {room.partition(".")[0] for room in ROOMS} - {"migrations"}
    assert house_picture.STANDS.keys() == rooms


def test_every_arrow_leads_down() -> None:
    tree = ElementTree.fromstring(house_picture.drawn())
    ways = [p.attrib["d"] for p in tree.findall(".//{*}path") if p.get("class") == "arrow"]
    assert ways
    for way in ways:
        heights = [float(y) for y in re.findall(r"[ML][\d.]+ ([\d.]+)", way)]
        assert heights == sorted(heights)


def test_an_arrow_that_follows_from_two_others_is_left_out() -> None:
    graph = {"door": {"deeds", "record"}, "deeds": {"record"}, "record": set[str]()}
    assert house_picture.reduced(graph)["door"] == {"deeds"}
    assert house_picture.floors(graph) == {"record": 0, "deeds": 1, "door": 2}
