// What is said of one cell: its drawing, curves and values; its neighbours; and the floating card under the pointer.

/** The card of a cell that is pinned as `slot` ("a" or "b"): drawing, curves, values, neighbours. */
function cellCard(page, cell, slot) {
  const {space} = page, run = page.runs[page.state.run], at = page.place(cell), title = `${slot.toUpperCase()}: cell ${cell}`;
  const card = html("article", {class: `card ${slot}`, "aria-label": title},
    html("header", {}, html("h2", {}, title),
      html("button", {type: "button", "aria-label": `Unpin ${title}`, title: "Unpin", onclick: () => page.pin(slot, null)}, "×")),
    drawCell(space.digits(cell), space.kinds(cell)),
    html("p", {class: "string"}, space.text(cell)));
  if (at < 0 || run.rows[at] < 0) {
    card.append(html("p", {class: "note"}, `${run.name} has no cell ${cell}.`));
  } else {
    card.append(...curvePart(page, at, false), valueTable(run, at), classLine(page, cell));
  }
  card.append(neighbourTable(page, cell));
  return card;
}

function classLine(page, cell) {
  const representative = page.space.representative[cell];
  const number = page.space.representative.reduce((sum, other) => sum + (other === representative), 0);
  if (number === 1) return html("p", {class: "note"}, "No other cell is the same network.");
  return html("p", {class: "note"}, `One of ${number} cells that are the same network `,
    html("button", {type: "button", class: "link", onclick: () => page.change({representative})}, `(class ${representative})`), ".");
}

/** The curves of the cell at that place, or the sentence that says why there are none. */
function curvePart(page, at, small) {
  const run = page.runs[page.state.run], packed = page.curves[page.state.run];
  if (!packed) return [html("p", {class: "note"}, "Unpacking curves …")];
  const {epochs} = packed.head, curves = curvesOf(packed, run.rows[at]).filter(({mean}) => !mean.every(Number.isNaN));
  if (!curves.length) return [html("p", {class: "note"}, "No seed of this cell was trained.")];
  if (epochs.length === 1 && run.epochs > 1) {
    return small ? [] : [html("p", {class: "note"}, `Only epoch ${epochs[0]} is known of it, so there is no curve.`)];
  }
  const picture = drawCurves(epochs, curves, run.chance, small);
  if (small) return [picture];
  const key = html("p", {class: "key"}, ...curves.map(({split}) =>
    html("span", {}, html("i", {class: "swatch", style: `background:var(--${split})`}), page.splitName(split))));
  const trained = run.head.seeds.filter((_, seed) => PAGE.splits.some(split => !Number.isNaN(run.seeds[split][seed][run.rows[at]])));
  key.append(trained.length > 1 ? `band: lowest to highest of ${trained.length} seeds` :
    run.head.seeds.length > 1 ? `one seed (${trained}), so no band` : "one seed, so no band");
  return [picture, key];
}

/** Accuracies per split and seed, cost and rank of the cell at that place. */
function valueTable(run, at) {
  const row = run.rows[at], splits = PAGE.splits.filter(split => run.quantities.some(({key}) => key.endsWith(split)));
  const body = splits.map(split => {
    const each = run.head.seeds.map((_, seed) => run.seeds[split][seed][row]);
    const mean = meanOf(each.map(value => [value]))[0];
    return html("tr", {}, html("th", {scope: "row"}, split), html("td", {}, number(mean)),
      ...(each.length > 1 ? each.map(value => html("td", {}, number(value))) : []));
  });
  const many = run.head.seeds.length > 1;
  const head = ["% correct", many ? "mean" : `seed ${run.head.seeds[0]}`, ...(many ? run.head.seeds.map(seed => `seed ${seed}`) : [])];
  const others = run.quantities.filter(({key}) => /(macs|parameters|rank|at-best)$/.test(key)).map(({short, unit, values}) =>
    html("tr", {}, html("th", {scope: "row"}, short), html("td", {}, `${number(values[at])} ${unit}`)));
  return html("div", {class: "tables", tabindex: "0", role: "group", "aria-label": "Values"},
    html("table", {}, html("thead", {}, html("tr", {}, ...head.map(word => html("th", {scope: "col"}, word)))), html("tbody", {}, ...body)),
    html("table", {}, html("tbody", {}, ...others)));
}

/** The 24 cells that differ in one edge, as edges by operations; the cell itself stands in each row. */
function neighbourTable(page, cell) {
  const quantity = page.quantities.get(page.state.y), digits = page.space.digits(cell);
  const all = neighbourhood(page.space, cell), values = all.map(row => row.map(other => quantity?.values[page.place(other)] ?? NaN));
  const there = values.flat().filter(Number.isFinite), low = Math.min(...there), high = Math.max(...there);
  const rows = all.map((others, edge) => html("tr", {},
    html("th", {scope: "row"}, edgeName(edge)),
    ...others.map((other, digit) => {
      const value = values[edge][digit], share = high > low ? (value - low) / (high - low) : 1;
      const shade = Number.isFinite(value) ? page.mapColour(share) : null;
      const style = shade ? `background:${shade};color:${share > 0.5 ? "#000000" : "#ffffff"}` : "";
      if (digit === digits[edge]) return html("td", {class: "own", style}, number(value));
      const words = `Cell ${other}, ${PAGE.operations[digit].name} from ${edgeName(edge)}: ${number(value)}`;
      const attributes = {type: "button", style, title: words, "aria-label": words, onclick: () => page.pin(page.slotOf(cell), other)};
      return html("td", {}, page.place(other) < 0 ? "–" : html("button", attributes, number(value)));
    })));
  const head = html("tr", {}, html("th", {scope: "col"}, "edge"), ...PAGE.operations.map(({short}) => html("th", {scope: "col"}, short)));
  return html("details", {class: "neighbours", open: ""},
    html("summary", {}, `24 neighbours: ${quantity?.label ?? ""}`),
    html("div", {class: "tables", tabindex: "0", role: "group", "aria-label": "Neighbours"},
      html("table", {}, html("thead", {}, head), html("tbody", {}, ...rows))));
}

function edgeName(edge) {
  const [source, target] = PAGE.edges[edge];
  return `${PAGE.nodes[source]} → ${PAGE.nodes[target]}`;
}

/** Fill the card that floats beside the pointer. */
function fillHover(page, element, at) {
  const cell = page.cells[at], x = page.quantities.get(page.state.x), y = page.quantities.get(page.state.y);
  const run = page.runs[page.state.run];
  element.replaceChildren(html("strong", {}, `Cell ${cell}`), drawCell(page.space.digits(cell), page.space.kinds(cell)),
    ...(run.rows[at] < 0 ? [] : curvePart(page, at, true)),
    ...[y, x].map(quantity => html("p", {}, `${quantity.short}: ${number(quantity.values[at])} ${quantity.unit}`)));
}
