"""A cell drawn without a drawing library: as lines for the terminal, and as svg."""

from xml.sax.saxutils import escape

from skelnas.cells.edges import TrainedEdges, trained_edges
from skelnas.cells.space import EDGES, NODES, NONE, OPERATIONS, Cell

STEP = 6  # characters from node to node
# Okabe and Ito's palette, as in `analysis.cell_drawing`.
COLOURS = dict(zip(OPERATIONS, ("#0072B2", "#56B4E9", "#009E73", "#E69F00", "#D55E00"), strict=True))
SHORT = dict(zip(OPERATIONS, ("", "skip", "1×1", "3×3", "pool"), strict=True))
RISE = (0.0, 0.6, 0.0, 1.2, -0.6, 0.0)  # an edge's middle over the row of nodes, in steps: no two edges cross
PIXELS, RADIUS = 130, 20  # from node to node; of a node
WIDTH, HEIGHT, BASE = 3 * PIXELS + 80, 300, 190
NODE_NAMES = ("in", "1", "2", "out")
PLAIN = str.maketrans("│├▶─╌", "||>-.")  # for terminals without these signs


def lines(cell: Cell, encoding: str = "utf-8") -> list[str]:
    """One line for each edge, from its source to its target, with its operation and what it does in the network."""
    trained = trained_edges(cell)
    drawn = ["".join(f"{name:<{STEP}}" for name in NODE_NAMES).rstrip()]
    for edge, ((source, target), digit) in enumerate(zip(EDGES, cell, strict=True)):
        row = ["│" if column % STEP == 0 else " " for column in range(STEP * (NODES - 1) + 1)]
        start, end = source * STEP, target * STEP
        row[start] = "├"
        row[start + 1 : end - 1] = ("╌" if digit == NONE else "─") * (end - start - 2)
        row[end - 1] = "▶"
        drawn.append(f"{''.join(row)}   {OPERATIONS[digit]:<13}{_role(edge, digit, trained)}".rstrip())
    try:
        "".join(drawn).encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return [line.translate(PLAIN) for line in drawn]
    return drawn


def _role(edge: int, digit: int, trained: TrainedEdges) -> str:
    if digit == NONE or edge in trained.signal:
        return ""
    return "no effect on the output" if edge not in trained.all else "adds a learned constant only"


def svg(cell: Cell, title: str) -> str:
    """The cell as one svg; edges without effect are faint, `none` is dotted."""
    trained = trained_edges(cell)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
        'font-family="sans-serif" font-size="14" text-anchor="middle">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#FFFFFF"/>',
        f'<text x="{WIDTH / 2}" y="22" fill="#333333">{escape(title)}</text>',
    ]
    for edge, digit in enumerate(cell):
        parts += _edge(edge, digit, edge in trained.all)
    for node, name in enumerate(NODE_NAMES):
        parts.append(
            f'<circle cx="{_x(node)}" cy="{BASE}" r="{RADIUS}" fill="#FFFFFF" stroke="#333333" stroke-width="1.5"/>'
        )
        parts.append(f'<text x="{_x(node)}" y="{BASE + 5}" fill="#333333">{name}</text>')
    return "\n".join([*parts, "</svg>", ""])


def _x(node: int) -> int:
    return 40 + node * PIXELS


def _edge(edge: int, digit: int, matters: bool) -> list[str]:
    source, target = EDGES[edge]
    left, right, middle = _x(source), _x(target), (_x(source) + _x(target)) / 2
    top = BASE - RISE[edge] * 2 * PIXELS * 0.85  # the control point of a curve whose middle is half as high
    towards = (right - middle, BASE - top)
    length = (towards[0] ** 2 + towards[1] ** 2) ** 0.5
    across = (RADIUS * towards[0] / length, RADIUS * towards[1] / length)
    start, end = (left + across[0], BASE - across[1]), (right - across[0], BASE - across[1])
    colour = "#9AA5B1" if digit == NONE else COLOURS[OPERATIONS[digit]]
    faint = "" if matters or digit == NONE else 'opacity="0.45"'
    style = 'stroke-dasharray="2 5"' if digit == NONE else "" if matters else f'stroke-dasharray="6 4" {faint}'
    head = [(end[0] - dx, end[1] - dy) for dx, dy in _head(towards, length)]
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in [end, *head])
    path = f"M{start[0]:.1f},{start[1]:.1f} Q{middle:.1f},{top:.1f} {end[0]:.1f},{end[1]:.1f}"
    drawn = [
        f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="3" {style}/>',
        f'<polygon points="{points}" fill="{colour}" {faint}/>',
    ]
    label = SHORT[OPERATIONS[digit]]
    at = (start[1] + 2 * top + end[1]) / 4 - 8
    return [*drawn, f'<text x="{middle:.1f}" y="{at:.1f}" fill="#333333">{label}</text>'] if label else drawn


def _head(towards: tuple[float, float], length: float) -> list[tuple[float, float]]:
    """The two back corners of an arrow's head, relative to its tip."""
    along = (towards[0] / length, towards[1] / length)
    return [(10 * along[0] - side * along[1], 10 * along[1] + side * along[0]) for side in (5, -5)]
