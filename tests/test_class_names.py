"""Every ImageNet class has a Chinese name of its own, at its own index."""

import json
import re
from collections import Counter
from pathlib import Path

import pytest

NAMES: list[str] = json.loads(
    (Path(__file__).resolve().parent.parent / "assets" / "classes" / "imagenet.zh.json").read_text(encoding="utf-8")
)
CHINESE = re.compile(r"[\u4e00-\u9fff]")
LONGEST = 12
# From the start to the end of the list, so that a name left out or put in twice shows as a shift;
# among them the classes whose English names say two things.
KNOWN = {
    0: "丁鱥",
    97: "公鸭",
    134: "鹤",
    207: "金毛寻回犬",
    264: "卡迪根柯基犬",
    340: "斑马",
    388: "大熊猫",
    474: "开襟毛衣",
    517: "起重机",
    638: "连体泳衣",
    639: "背心式泳衣",
    673: "鼠标",
    726: "刨子",
    817: "跑车",
    836: "墨镜",
    837: "太阳镜",
    926: "火锅",
    987: "玉米",
    998: "玉米穗",
    999: "卫生纸",
}


def test_there_is_one_name_a_class():
    assert len(NAMES) == 1000


def test_every_name_is_chinese_and_short():
    assert [(i, name) for i, name in enumerate(NAMES) if not CHINESE.search(name)] == []
    assert [(i, name) for i, name in enumerate(NAMES) if name != name.strip() or len(name) > LONGEST] == []


def test_no_name_stands_for_two_classes():
    assert [name for name, times in Counter(NAMES).items() if times > 1] == []


@pytest.mark.parametrize(("index", "name"), KNOWN.items())
def test_names_are_at_their_index(index, name):
    assert NAMES[index] == name
