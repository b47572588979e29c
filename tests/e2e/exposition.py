"""A strict reader of Prometheus' text format: raises ValueError for whatever the format does not allow."""

import re

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
HELP = re.compile(rf"# HELP ({NAME}) (\S.*)")
TYPE = re.compile(rf"# TYPE ({NAME}) (counter|gauge|histogram|summary)")
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\["\\n])*)"')
SERIES = re.compile(rf"({NAME})(?:\{{(.*)\}})? (\S+)")


class Family:
    """One metric: its help and type, and its series as {(suffix, frozenset of labels): number}."""

    def __init__(self, help_text):
        self.help = help_text
        self.type = None
        self.series = {}

    def values(self, label):
        """What stands for that label in any series."""
        return {value for _, labels in self.series for name, value in labels if name == label}

    def labels(self):
        """The names of labels, by series' suffix."""
        names = {}
        for suffix, labels in self.series:
            names.setdefault(suffix, set()).update(name for name, _ in labels)
        return names


def read_labels(text):
    labels = LABEL.findall(text)
    if ",".join(f'{name}="{value}"' for name, value in labels) != text:
        raise ValueError(f"not labels: {text}")
    if len({name for name, _ in labels}) != len(labels):
        raise ValueError(f"a label twice: {text}")
    return frozenset(labels)


def read(text):
    """{name: Family}."""
    if not text.endswith("\n"):
        raise ValueError("the last line has no end")
    families = {}
    name = None
    for line in text.splitlines():
        if match := HELP.fullmatch(line):
            name = match[1]
            if name in families:
                raise ValueError(f"two families {name}")
            families[name] = Family(match[2])
        elif match := TYPE.fullmatch(line):
            if match[1] != name or families[name].type:
                raise ValueError(f"out of order: {line}")
            families[name].type = match[2]
        elif match := SERIES.fullmatch(line):
            add(families[name], match[1].removeprefix(name), match)
        else:
            raise ValueError(f"not a line of the format: {line}")
    for name, family in families.items():
        if family.type == "histogram":
            check_histogram(name, family)
    return families


def add(family, suffix, match):
    allowed = {"histogram": ("_bucket", "_sum", "_count"), "summary": ("", "_sum", "_count")}
    if suffix not in allowed.get(family.type, ("",)):
        raise ValueError(f"not of its family: {match[0]}")
    key = (suffix, read_labels(match[2] or ""))
    if key in family.series:
        raise ValueError(f"twice: {match[0]}")
    family.series[key] = float(match[3])


def check_histogram(name, family):
    """Buckets grow to +Inf, which is the count."""
    buckets = {}
    for (suffix, labels), value in family.series.items():
        if suffix == "_bucket":
            bounds = [float(bound) for label, bound in labels if label == "le"]
            rest = frozenset(label for label in labels if label[0] != "le")
            buckets.setdefault(rest, {})[bounds[0]] = value
    for labels, counts in buckets.items():
        ordered = [counts[bound] for bound in sorted(counts)]
        if ordered != sorted(ordered) or ordered[-1] != family.series[("_count", labels)]:
            raise ValueError(f"not a histogram: {name}{dict(labels)}")
        if float("inf") not in counts or ("_sum", labels) not in family.series:
            raise ValueError(f"not a whole histogram: {name}{dict(labels)}")
