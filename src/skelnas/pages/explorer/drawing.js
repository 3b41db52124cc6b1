// Drawings as svg: a cell as in the figures (analysis/cell_drawing.py), and its learning curves.

const SVG = "http://www.w3.org/2000/svg";

function svg(name, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

function html(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value); else element.setAttribute(key, value);
  }
  element.append(...children);
  return element;
}

/** A cell: four nodes in a row, six edges coloured by operation, idle edges faint. */
function drawCell(digits, kinds) {
  const {rise, limits, radius, letter} = PAGE.drawing, [[left, right], [bottom, top]] = limits;
  const words = PAGE.edges.map(([source, target], edge) =>
    `${PAGE.nodes[source]} to ${PAGE.nodes[target]} ${PAGE.operations[digits[edge]].name}`);
  const picture = svg("svg", {
    viewBox: `${left} ${-top} ${right - left} ${top - bottom}`, class: "cell", role: "img",
    "aria-label": `Cell: ${words.join(", ")}`,
  });
  PAGE.edges.forEach(([source, target], edge) => {
    const operation = PAGE.operations[digits[edge]], kind = PAGE.drawing.kinds[kinds[edge]], up = -rise[edge];
    // A quadratic curve rises to half the height of its control point.
    const control = [(source + target) / 2, 2 * up];
    const start = towards([source, 0], control, radius + 0.02), end = towards([target, 0], control, radius + 0.03);
    const style = `stroke:${operation.colour};stroke-width:${kind.width / 60};opacity:${kind.opacity}`;
    const line = svg("path", {
      d: `M${start}Q${control} ${end}`, fill: "none", style, class: kind.name,
      "stroke-dasharray": kind.dashes.map(length => length * kind.width / 60).join(" ") || "none",
    });
    picture.append(line);
    if (!digits[edge]) return;
    picture.append(arrowHead(end, control, operation.colour, kind.opacity));
    const below = rise[edge] < 0;
    picture.append(svg("text", {
      x: control[0], y: up + (below ? 0.2 : -0.11), style: `fill:var(--letters-${digits[edge]})`, "font-size": letter,
      "text-anchor": "middle",
    }, operation.short));
  });
  PAGE.nodes.forEach((name, node) => {
    picture.append(svg("circle", {cx: node, cy: 0, r: radius, class: "node"}));
    picture.append(svg("text", {x: node, y: letter / 3, "font-size": letter, "text-anchor": "middle", class: "name"}, name));
  });
  return picture;
}

function towards([x, y], [a, b], distance) {
  const length = Math.hypot(a - x, b - y);
  return [x + (a - x) * distance / length, y + (b - y) * distance / length].map(value => value.toFixed(3));
}

function arrowHead(tip, from, colour, opacity) {
  const [x, y] = tip.map(Number), angle = Math.atan2(y - from[1], x - from[0]), length = 0.13;
  const corner = turn => `${(x - length * Math.cos(angle + turn)).toFixed(3)},${(y - length * Math.sin(angle + turn)).toFixed(3)}`;
  return svg("polygon", {points: `${x},${y} ${corner(0.42)} ${corner(-0.42)}`, style: `fill:${colour};opacity:${opacity}`});
}

/** Curves of every split with the band from the lowest to the highest seed, over epochs. */
function drawCurves(epochs, curves, chance, small = false) {
  const [width, height] = small ? [240, 110] : [340, 190];
  const [left, bottom, top, right] = [30, small ? 16 : 30, 6, 8];
  const last = epochs.at(-1), first = epochs[0];
  const x = epoch => left + (width - left - right) * (last > first ? (epoch - first) / (last - first) : 0.5);
  const y = value => height - bottom - (height - bottom - top) * value / 100;
  const place = (epoch, value) => `${x(epoch).toFixed(1)},${y(value).toFixed(1)}`;
  const ends = curves.map(({split, mean}) => `${split} ${number(mean.at(-1))} %`).join(", ");
  const picture = svg("svg", {
    viewBox: `0 0 ${width} ${height}`, class: "curves", role: "img",
    "aria-label": `Learning curves over ${last} epochs, at the end ${ends}`,
  });
  for (const value of [0, 25, 50, 75, 100]) {
    picture.append(svg("line", {x1: left, x2: width - right, y1: y(value), y2: y(value), class: "grid"}));
    picture.append(svg("text", {x: left - 5, y: y(value) + 3.5, "text-anchor": "end"}, String(value)));
  }
  picture.append(svg("line", {x1: left, x2: width - right, y1: y(chance), y2: y(chance), class: "chance"}));
  for (const {split, mean, low, high} of curves) {
    const there = epochs.map((_, point) => point).filter(point => !Number.isNaN(mean[point]));
    const banded = there.filter(point => !Number.isNaN(low[point]));
    const colour = `var(--${split})`;
    if (banded.length > 1) {
      const edge = [...banded.map(point => place(epochs[point], high[point])),
        ...banded.reverse().map(point => place(epochs[point], low[point]))];
      picture.append(svg("polygon", {points: edge.join(" "), style: `fill:${colour}`, class: "band"}));
    }
    if (there.length === 1) {
      const [px, py] = place(epochs[there[0]], mean[there[0]]).split(",");
      picture.append(svg("circle", {cx: px, cy: py, r: 3, style: `fill:${colour}`}));
    } else if (there.length) {
      const points = there.map(point => place(epochs[point], mean[point])).join(" ");
      picture.append(svg("polyline", {points, style: `stroke:${colour}`, class: `curve ${split}`}));
    }
  }
  if (!small) {
    const middle = (left + width - right) / 2;
    picture.append(svg("text", {x: left, y: height - 16, "text-anchor": "middle"}, String(first)));
    if (last > first) picture.append(svg("text", {x: width - right, y: height - 16, "text-anchor": "end"}, String(last)));
    picture.append(svg("text", {x: middle, y: height - 4, "text-anchor": "middle"}, "epoch, accuracy in %"));
  }
  return picture;
}

/** A number for people: four digits, grouped; – where there is none. */
function number(value, digits = 2) {
  if (value === undefined || Number.isNaN(value)) return "–";
  if (!Number.isFinite(value)) return String(value);
  return Number.isInteger(value) ? grouped.format(value) : value.toFixed(Math.abs(value) < 100 ? digits : 1);
}

const grouped = new Intl.NumberFormat("en-US");
