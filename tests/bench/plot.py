"""A small log-log plot as SVG: for curves whose slope is the point."""

from __future__ import annotations

import dataclasses
import html
import math

WIDTH, HEIGHT = 640, 400
LEFT, RIGHT, TOP, BOTTOM = 64, 150, 44, 48
COLOURS = ["#0072b2", "#d55e00", "#009e73"]  # told apart by colour-blind readers, too
STYLE = """text{font:13px system-ui,sans-serif;fill:#1a1a1a}.axis{stroke:#1a1a1a}.grid{stroke:#d0d0d0}
.guide{stroke:#808080;stroke-dasharray:4 4;fill:none}.small{font-size:11px}
@media(prefers-color-scheme:dark){svg{background:#161616}text{fill:#eee}.axis{stroke:#eee}.grid{stroke:#444}}"""


@dataclasses.dataclass
class Curve:
    label: str
    points: list[tuple[float, float]]
    dashed: bool = False  # a guide for the eye, without marks


class Axis:
    """Logarithmic, from a power of ten to one."""

    def __init__(self, values: list[float], start: float, end: float):
        self.low, self.high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
        self.start, self.end = start, end

    def at(self, value: float) -> float:
        return self.start + (math.log10(value) - self.low) / (self.high - self.low) * (self.end - self.start)

    def ticks(self) -> list[float]:
        return [10.0**e for e in range(self.low, self.high + 1)]


def text(x: float, y: float, words: str, anchor: str = "middle", kind: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" class="{kind}">{html.escape(words)}</text>'


def line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{kind}"/>'


def grid(x: Axis, y: Axis) -> list[str]:
    parts = []
    for tick in x.ticks():
        parts += [line(x.at(tick), y.start, x.at(tick), y.end, "grid"),
                  text(x.at(tick), y.start + 18, f"{tick:,.0f}", kind="small")]
    for tick in y.ticks():
        parts += [line(x.start, y.at(tick), x.end, y.at(tick), "grid"),
                  text(x.start - 8, y.at(tick) + 4, f"{tick:g}", "end", "small")]
    return [*parts, line(x.start, y.start, x.end, y.start, "axis"), line(x.start, y.start, x.start, y.end, "axis")]


def drawn(curve: Curve, x: Axis, y: Axis, colour: str) -> list[str]:
    places = [(x.at(a), y.at(b)) for a, b in curve.points]
    path = " ".join(f"{a:.1f},{b:.1f}" for a, b in places)
    label = text(places[-1][0] + 8, places[-1][1] + 4, curve.label, "start", "small")
    if curve.dashed:
        return [f'<polyline points="{path}" class="guide"/>', label]
    marks = [f'<circle cx="{a:.1f}" cy="{b:.1f}" r="3.5" fill="{colour}"/>' for a, b in places]
    return [f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>', *marks, label]


def log_log(title: str, x_name: str, curves: list[Curve]) -> str:
    """The whole SVG; all values are positive."""
    points = [point for curve in curves for point in curve.points]
    x = Axis([a for a, _ in points], LEFT, WIDTH - RIGHT)
    y = Axis([b for _, b in points], HEIGHT - BOTTOM, TOP)
    parts = grid(x, y)
    for i, curve in enumerate(curves):
        parts += drawn(curve, x, y, COLOURS[i % len(COLOURS)])
    parts += [text(LEFT, 22, title, "start"), text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8, x_name)]
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" '
            f'viewBox="0 0 {WIDTH} {HEIGHT}" role="img"><title>{html.escape(title)}</title>\n'
            f"<style>{STYLE}</style>\n" + "\n".join(parts) + "\n</svg>\n")
