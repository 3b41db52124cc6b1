// Selects, filters, list and legend; and what pointer and keyboard do.

const LISTED = 25;
const RANGE_WORDS = {macs: "Multiply-accumulates, M", parameters: "Parameters, k", rank: "Rank"};
const ENDS = ["from", "to"];

/** What stands in the page once: options, the matrix of edges, and the fields of ranges. */
function buildControls(page) {
  const options = quantities => quantities.map(({key, label}) => html("option", {value: key}, label));
  for (const id of ["x", "y", "colour"]) {
    if (id === "colour") {
      byId(id).append(html("option", {value: "one"}, "one colour"),
        ...PAGE.edges.map((_, edge) => html("option", {value: `edge${edge}`}, `operation on ${edgeName(edge)}`)));
    }
    byId(id).append(...options([...page.quantities.values()]));
    byId(id).addEventListener("change", event => page.change({[id]: event.target.value}));
  }
  byId("run").append(...page.runs.map(({name}, position) => html("option", {value: position}, name)));
  byId("run").addEventListener("change", event => page.change({run: Number(event.target.value)}));
  byId("run-choice").hidden = page.runs.length < 2;
  const matrix = document.querySelector("#edges .matrix");
  matrix.append(html("span", {}), ...PAGE.operations.map(({short}) => html("span", {class: "head", "aria-hidden": "true"}, short)));
  PAGE.edges.forEach((_, edge) => {
    matrix.append(html("button", {type: "button", class: "link", "aria-label": `All operations on ${edgeName(edge)}`,
      onclick: () => page.change({allowed: page.state.allowed.with(edge, ALL)})}, edgeName(edge)));
    PAGE.operations.forEach(({name, colour}, digit) => {
      const toggle = () => page.change({allowed: page.state.allowed.with(edge, page.state.allowed[edge] ^ 1 << digit)});
      matrix.append(html("label", {class: "toggle"}, html("input", {type: "checkbox", id: `edge${edge}-${digit}`, onchange: toggle,
        style: `--operation:${colour}`, "aria-label": `${name} on ${edgeName(edge)}`})));
    });
  });
  for (const key of RANGES) byId("ranges").append(rangeFields(key, RANGE_WORDS[key], (position, value) => {
    page.change({[key]: page.state[key].with(position, value)});
  }));
  ["Across", "Up"].forEach((word, axis) => byId("box").append(rangeFields(`box${axis}`, word, (position, value) => {
    const whole = page.scatter.extent(), brush = (page.state.brush ?? whole).with(2 * axis + position, value ?? whole[2 * axis + position]);
    page.change({brush: brush[0] < brush[1] && brush[2] < brush[3] ? brush : page.state.brush});
  })));
  byId("representative").addEventListener("change", event => {
    const text = event.target.value.trim(), cell = /^\d{1,5}$/.test(text) && Number(text) < CELLS ? Number(text) : null;
    page.change({representative: cell === null ? null : page.space.representative[cell]});
  });
  byId("once").addEventListener("change", event => page.change({once: event.target.checked}));
  byId("reset").addEventListener("click", () => {
    const {allowed, representative, once, macs, parameters, rank, brush, view} = page.fresh;
    page.change({allowed, representative, once, macs, parameters, rank, brush, view});
  });
}

function rangeFields(id, words, onchange) {
  return html("div", {class: "range", role: "group", "aria-label": words}, html("span", {}, words), ...ENDS.map((end, position) =>
    html("input", {id: `${id}-${end}`, type: "number", step: "any", "aria-label": `${words} ${end}`, placeholder: end,
      onchange: event => onchange(position, event.target.value === "" ? null : Number(event.target.value))})));
}

/** Show the state in the controls, without touching a field that somebody is typing in. */
function fillControls(page) {
  const {state} = page, set = (id, value) => { if (document.activeElement !== byId(id)) byId(id).value = value; };
  for (const id of ["x", "y", "colour", "run"]) set(id, state[id]);
  state.allowed.forEach((bits, edge) => PAGE.operations.forEach((_, digit) => {
    byId(`edge${edge}-${digit}`).checked = Boolean(bits >> digit & 1);
  }));
  for (const key of RANGES) ENDS.forEach((end, position) => set(`${key}-${end}`, state[key][position] ?? ""));
  for (const axis of [0, 1]) ENDS.forEach((end, position) => {
    const value = state.brush?.[2 * axis + position];
    set(`box${axis}-${end}`, value === undefined ? "" : Number(value.toPrecision(5)));
  });
  set("representative", state.representative ?? "");
  byId("once").checked = state.once;
}

function fillLegend(page) {
  const {key} = page;
  const entries = key === "operations" ? PAGE.operations.map(({name, colour}) =>
    html("span", {}, html("i", {class: "swatch", style: `background:${colour}`}), name)) :
    key ? [html("span", {}, number(key.low)), html("i", {class: "map", style: `background:linear-gradient(90deg,${PAGE.map})`}),
      html("span", {}, number(key.high))] : [];
  byId("legend").replaceChildren(...entries);
}

/** The first of the selected cells; a reader of screens finds here what the scatter shows. */
function fillList(page, chosen) {
  const shown = [...new Set([page.state.y, page.state.x, ...(page.quantities.has(page.state.colour) ? [page.state.colour] : [])])]
    .map(key => page.quantities.get(key));
  const head = html("tr", {}, ...["cell", "", ...shown.map(({label, unit}) => unit ? `${label} (${unit})` : label), "string"].map(word =>
    html("th", {scope: "col"}, word || html("span", {class: "hidden"}, "pin"))));
  const rows = chosen.slice(0, LISTED).map(at => html("tr", {}, html("th", {scope: "row"}, String(page.cells[at])),
    html("td", {class: "pins"}, ...["a", "b"].map(slot => html("button", {type: "button", "aria-label": `Pin cell ${page.cells[at]} as ${slot.toUpperCase()}`,
      onclick: () => page.pin(slot, page.cells[at])}, slot.toUpperCase()))),
    ...shown.map(({values}) => html("td", {}, number(values[at]))), html("td", {class: "string"}, page.space.text(page.cells[at]))));
  const more = chosen.length > LISTED ? `the first ${LISTED} of ${grouped.format(chosen.length)}` : `${chosen.length}`;
  document.querySelector("#list table").replaceChildren(html("caption", {}, `By ${page.quantities.get(page.state.y).label}: ${more}`),
    html("thead", {}, head), html("tbody", {}, ...rows));
  byId("download").disabled = !chosen.length;
}

/** The selected cells with every quantity, as csv. */
function asCsv(page) {
  const quoted = word => /[",\n]/.test(word) ? `"${word.replaceAll('"', '""')}"` : word;
  const quantities = [...page.quantities.values()].filter(({key}) => key !== "index");
  const head = ["index", "architecture", "class_representative", ...quantities.map(({label, unit}) => unit ? `${label} (${unit})` : label)];
  const lines = page.chosen().map(at => {
    const cell = page.cells[at];
    return [cell, page.space.text(cell), page.space.representative[cell],
      ...quantities.map(({values}) => Number.isNaN(values[at]) ? "" : Number(values[at].toPrecision(12)))].join(",");
  });
  return [head.map(quoted).join(","), ...lines].join("\n") + "\n";
}

function listen(page) {
  const {scatter} = page, canvas = scatter.marks;
  const at = event => { const box = canvas.getBoundingClientRect(); return [event.clientX - box.left, event.clientY - box.top]; };
  let pressed = null;
  canvas.addEventListener("pointerdown", event => {
    if (event.button) return;
    pressed = {from: at(event), view: scatter.view, moving: event.shiftKey};
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", event => {
    const [px, py] = at(event), far = pressed && Math.hypot(px - pressed.from[0], py - pressed.from[1]) > 4;
    if (pressed && far) {
      page.hovered = -1;
      const [a, b] = scatter.toValue(...pressed.from), [c, d] = scatter.toValue(px, py);
      if (pressed.moving) {
        const [x0, x1, y0, y1] = scatter.view;
        page.change({view: [x0 + a - c, x1 + a - c, y0 + b - d, y1 + b - d]});
        pressed.from = [px, py];
      } else {
        page.dragged = [Math.min(a, c), Math.max(a, c), Math.min(b, d), Math.max(b, d)];
        page.draw("hover");
      }
      return;
    }
    page.hovered = scatter.near(px, py);
    page.draw("hover");
  });
  canvas.addEventListener("pointerup", event => {
    const brush = page.dragged, found = scatter.near(...at(event));
    page.dragged = undefined;
    if (brush) page.change({brush: brush[0] < brush[1] && brush[2] < brush[3] ? brush : null});
    else if (pressed && !pressed.moving && found >= 0) page.pin(event.ctrlKey || event.metaKey ? "b" : "a", page.cells[found]);
    else if (pressed && !pressed.moving && page.state.brush) page.change({brush: null});
    pressed = null;
  });
  canvas.addEventListener("pointercancel", () => { pressed = null; page.dragged = undefined; page.draw("hover"); });
  canvas.addEventListener("pointerleave", () => { page.hovered = -1; page.draw("hover"); });
  canvas.addEventListener("blur", () => { page.hovered = -1; page.draw("hover"); });
  canvas.addEventListener("wheel", event => { event.preventDefault(); page.zoom(1.0015 ** event.deltaY, at(event)); }, {passive: false});
  canvas.addEventListener("keydown", event => {
    const arrows = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1]};
    const here = page.hovered >= 0 ? page.hovered : page.place(page.state.a);
    const keys = {
      Enter: () => here >= 0 && page.pin("a", page.cells[here]), b: () => here >= 0 && page.pin("b", page.cells[here]),
      "+": () => page.zoom(0.7), "-": () => page.zoom(1 / 0.7), 0: () => page.change({view: null}),
      Escape: () => page.change({brush: null}),
    };
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (arrows[event.key]) {
      const next = here >= 0 ? scatter.towards(here, ...arrows[event.key]) : page.chosen()[0] ?? -1;
      if (next >= 0) page.hovered = next;
      page.draw("hover");
    } else if (keys[event.key]) keys[event.key](); else return;
    event.preventDefault();
  });
  byId("closer").addEventListener("click", () => page.zoom(0.7));
  byId("farther").addEventListener("click", () => page.zoom(1 / 0.7));
  byId("whole").addEventListener("click", () => page.change({view: null}));
  byId("search").addEventListener("submit", event => { event.preventDefault(); find(page, byId("wanted").value.trim()); });
  byId("download").addEventListener("click", () => {
    const link = html("a", {download: PAGE.csv, href: URL.createObjectURL(new Blob([asCsv(page)], {type: "text/csv"}))});
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  });
  byId("share").addEventListener("click", async () => {
    const address = `${location.href.split("#")[0]}#${toAddress(page.state, page.fresh)}`;
    history.replaceState(null, "", address);
    const copied = await navigator.clipboard?.writeText(address).then(() => true, () => false);
    byId("answer").textContent = copied ? "the link is copied" : "the link is in the address line";
  });
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (document.documentElement.dataset.theme ?? (dark.matches ? "dark" : "light")) === "dark";
  const themed = () => { byId("theme").textContent = isDark() ? "Light" : "Dark"; page.draw("filter"); };
  byId("theme").addEventListener("click", () => { document.documentElement.dataset.theme = isDark() ? "light" : "dark"; themed(); });
  dark.addEventListener("change", themed);
  themed();
  addEventListener("hashchange", () => {
    page.state = fromAddress(location.hash.slice(1), page.fresh, page.quantities);
    page.unpackCurves();
  });
  new ResizeObserver(() => {
    if (scatter.stage.clientWidth === scatter.width && scatter.stage.clientHeight === scatter.height) return;
    scatter.resize();
    page.draw("zoom");
  }).observe(scatter.stage);
}

/** Pin the cell with that index or string, or say why not. */
function find(page, wanted) {
  const digits = parseCell(wanted), index = digits ? page.space.indexOfDigits(digits) : /^\d{1,5}$/.test(wanted) ? Number(wanted) : -1;
  const problem = index < 0 || index >= CELLS ? `there is no cell ${wanted || "without a name"}: give an index from 0 to ${CELLS - 1}, or a string such as ${cellText([3, 1, 0, 4, 2, 1])}` :
    page.place(index) < 0 ? `cell ${index} was not trained here` : "";
  byId("answer").textContent = problem;
  if (!problem) page.pin("a", index);
}
