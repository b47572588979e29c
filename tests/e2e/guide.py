"""Runs a guide: the commands in its ```console blocks, one after the other, and holds what they write against what the
guide shows.

A line that begins with `$ ` or `# ` is a command (`\\` at its end: it goes on); the lines under it are what one sees.
`…` stands for anything; lines that are not shown may come between those that are.
"""

import re
from dataclasses import dataclass, field


@dataclass
class Step:
    command: str
    shown: list = field(default_factory=list)


def steps_of(text):
    steps = []
    for block in re.findall(r"^```console\n(.*?)^```", text, re.M | re.S):
        for line in re.sub(r"\\\n\s*", "", block).splitlines():
            if line.startswith(("$ ", "# ")):
                steps.append(Step(line[2:].strip()))
            elif line.strip():
                steps[-1].shown.append(line.strip())
    return steps


def check_output(step, output):
    """Each line shown must be in `output`, in this order; blanks count as one."""
    lines = [" ".join(line.split()) for line in output.splitlines()]
    for shown in step.shown:
        pattern = ".*".join(re.escape(part) for part in " ".join(shown.split()).split("…"))
        while lines and not re.fullmatch(pattern, lines[0]):
            lines.pop(0)
        assert lines, f"$ {step.command}\ndid not write (again) `{shown}` but\n{output}"
        lines.pop(0)
