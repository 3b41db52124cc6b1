// The page itself: one state, from which everything that is seen follows.

class Page {
  constructor(space, runs, cells) {
    Object.assign(this, {space, runs, cells, curves: [], hovered: -1, pending: new Set(), palette: [0]});
    this.placeOf = rowsOf(Uint16Array.from(cells), Uint16Array.from({length: CELLS}, (_, cell) => cell));
    this.quantities = new Map(runs.flatMap(run => run.quantities).map(quantity => [quantity.key, quantity]));
    const index = {key: "index", label: "architecture index", short: "architecture index", unit: "", values: Float64Array.from(cells)};
    this.quantities.set("index", index);
    this.fresh = freshState(this.quantities);
    this.state = fromAddress(location.hash.slice(1), this.fresh, this.quantities);
    this.scatter = new Scatter(byId("stage"));
  }

  place(cell) { return this.placeOf[cell] ?? -1; }

  splitName(split) { return PAGE.splitNames[PAGE.splits.indexOf(split)]; }

  slotOf(cell) { return this.state.a === cell ? "a" : "b"; }

  mapColour(share) { return PAGE.map[Math.round(Math.min(Math.max(share, 0), 1) * (PAGE.map.length - 1))]; }

  /** Change the state; what follows from it is drawn with the next frame. */
  change(values) {
    const old = this.state;
    this.state = {...old, ...values};
    if (this.state.x !== old.x || this.state.y !== old.y) Object.assign(this.state, {view: null, brush: null}, values);
    if (this.state.run !== old.run) this.unpackCurves();
    this.draw(Object.keys(values).every(key => key === "view") ? "zoom" : "filter");
    clearTimeout(this.writing);
    this.writing = setTimeout(() => {
      history.replaceState(null, "", `#${toAddress(this.state, this.fresh)}`);
      this.writing = 0;
      this.settle();
    }, 150);
  }

  pin(slot, cell) {
    this.change({[slot]: cell});
    if (cell !== null) byId("answer").textContent = `cell ${cell} is ${slot.toUpperCase()}`;
  }

  /** Draw with the next frame: "filter" everything, "zoom" the points at their new places, "hover" the marks alone. */
  draw(what) {
    if (!this.pending.size) requestAnimationFrame(() => this.frame());
    document.body.dataset.state = "busy";
    this.pending.add(what);
  }

  frame() {
    const what = ["filter", "zoom", "hover"].find(kind => this.pending.has(kind)), begun = performance.now();
    this.pending.clear();
    if (what === "filter") this.select();
    if (what !== "hover") this.drawPlot();
    this.drawMarks();
    performance.measure(what, {start: begun, end: performance.now()});
    performance.mark("drawn");
    if (what === "filter") setTimeout(() => this.drawWords(), 0); else this.settle();
  }

  /** Say in the page that nothing is left to be drawn. */
  settle() {
    if (!this.pending.size && !this.writing && !this.unpacking) document.body.dataset.state = "settled";
  }

  /** What passes the filters, and the colours. */
  select() {
    const {state, scatter} = this, of = key => this.quantities.get(key)?.values;
    scatter.x = of(state.x);
    scatter.y = of(state.y);
    scatter.shown = passing(state, this.cells, this.space, of);
    [scatter.colours, this.palette, this.key] = this.coloured();
  }

  /** For each cell its position in a palette, the palette, and what the legend says of it. */
  coloured() {
    const {colour} = this.state, edge = /^edge(\d)$/.exec(colour);
    if (edge) {
      const power = OPERATIONS ** (EDGES - 1 - Number(edge[1]));
      return [Uint8Array.from(this.cells, cell => Math.floor(this.space.code[cell] / power) % OPERATIONS),
        PAGE.operations.map(operation => bytes(operation.colour)), "operations"];
    }
    if (colour === "one") return [new Uint8Array(this.cells.length), [bytes(PAGE.points)], ""];
    const {values} = this.quantities.get(colour), {shown} = this.scatter, there = values.filter((value, at) => shown[at] && Number.isFinite(value));
    const [low, high] = [there.reduce((a, b) => Math.min(a, b), Infinity), there.reduce((a, b) => Math.max(a, b), -Infinity)];
    const steps = PAGE.map.length - 1, scale = high > low ? steps / (high - low) : 0;
    const colours = Uint8Array.from(values, value => Number.isFinite(value) ? Math.min(Math.max((value - low) * scale, 0), steps) : steps + 1);
    return [colours, [...PAGE.map, "#8a94a0"].map(bytes), {low, high}];
  }

  drawPlot() {
    const {state, scatter} = this, label = key => {
      const {label, unit} = this.quantities.get(key);
      return unit ? `${label} (${unit})` : label;
    };
    scatter.view = state.view ?? scatter.extent();
    scatter.drawAxes(label(state.x), label(state.y));
    scatter.drawPoints(this.palette, bytes(colourOf("--faint")));
  }

  drawMarks() {
    const {state, scatter} = this, marked = [], ink = colourOf("--ink");
    for (const slot of ["a", "b"]) {
      if (state[slot] === null) continue;
      for (const other of neighbourhood(this.space, state[slot]).flat()) {
        if (other !== state[slot]) marked.push({at: this.place(other), colour: colourOf(`--${slot}`), size: 4});
      }
      marked.push({at: this.place(state[slot]), colour: colourOf(`--${slot}`), label: slot.toUpperCase(), size: 8});
    }
    if (this.hovered >= 0) marked.push({at: this.hovered, colour: ink, size: 7});
    scatter.drawMarks(marked, this.dragged ?? state.brush);
    this.drawHover();
  }

  drawHover() {
    const card = byId("hover"), {scatter, hovered} = this;
    card.hidden = hovered < 0;
    if (hovered < 0) { this.told = -1; return; }
    if (this.told !== hovered) fillHover(this, card, hovered);
    this.told = hovered;
    const right = scatter.sx[hovered] > scatter.width / 2, low = scatter.sy[hovered] > scatter.height / 2;
    card.style.left = right ? "auto" : `${scatter.sx[hovered] + 14}px`;
    card.style.right = right ? `${scatter.width - scatter.sx[hovered] + 14}px` : "auto";
    card.style.top = low ? "auto" : `${scatter.sy[hovered] + 14}px`;
    card.style.bottom = low ? `${scatter.height - scatter.sy[hovered] + 14}px` : "auto";
  }

  /** Everything beside the canvas: controls, counts, legend, list and cards. */
  drawWords() {
    const {state, scatter} = this, chosen = this.chosen(), number_ = grouped.format(chosen.length);
    fillControls(this);
    byId("count").textContent = `${number_} of ${grouped.format(this.cells.length)} cells selected`;
    scatter.marks.setAttribute("aria-label", `${this.quantities.get(state.y).label} against ${this.quantities.get(state.x).label}, ${number_} cells`);
    fillLegend(this);
    fillList(this, chosen);
    const pinned = ["a", "b"].filter(slot => state[slot] !== null);
    const cards = pinned.length ? pinned.map(slot => cellCard(this, state[slot], slot)) :
      [html("p", {class: "note"}, "Click a point to pin its cell here, or find one by its index or string.")];
    const focused = document.activeElement?.closest("#cells") ? document.activeElement.getAttribute("aria-label") : null;
    byId("cells").replaceChildren(...cards);
    byId("cells").classList.toggle("two", pinned.length === 2);
    document.body.classList.toggle("comparing", pinned.length === 2);
    if (focused) (byId("cells").querySelector(`[aria-label="${CSS.escape(focused)}"]`) ?? byId("wanted")).focus();
    if (scatter.stage.clientWidth !== scatter.width) { scatter.resize(); this.draw("zoom"); }
    if (!this.curves[state.run] && !this.unpacking) this.unpackCurves();
    this.settle();
  }

  /** The places of the selected cells, by what goes up, the highest first. */
  chosen() {
    const {values} = this.quantities.get(this.state.y);
    return [...this.cells.keys()].filter(at => this.scatter.shown[at]).sort((one, other) => values[other] - values[one] || one - other);
  }

  async unpackCurves() {
    const {run} = this.state;
    if (!this.curves[run]) {
      this.unpacking = true;
      this.curves[run] = await unpack(`curves-${run}`);
      this.unpacking = false;
    }
    this.draw("filter");
  }

  zoom(factor, [px, py] = [this.scatter.width / 2, this.scatter.height / 2]) {
    const [x, y] = this.scatter.toValue(px, py), [x0, x1, y0, y1] = this.scatter.view;
    const view = [x + (x0 - x) * factor, x + (x1 - x) * factor, y + (y0 - y) * factor, y + (y1 - y) * factor];
    if (view[1] - view[0] > 1e-9 * (Math.abs(x) + 1e-9) && view[3] - view[2] > 1e-9 * (Math.abs(y) + 1e-9)) this.change({view});
  }
}

function byId(id) { return document.getElementById(id); }

async function start() {
  document.querySelector("h1").textContent = PAGE.title;
  byId("about").textContent = PAGE.about;
  byId("made").textContent = PAGE.made;
  byId("actions").append(...PAGE.runs.filter(({classes}) => classes.length).map(({name, classes}) =>
    html("p", {}, `${classes.length} actions of ${name}: ${classes.join(", ")}.`)));
  const space = searchSpace(await unpack("space"));
  const packed = await Promise.all(PAGE.runs.map((_, position) => unpack(`values-${position}`)));
  const cells = [...new Set(packed.flatMap(({arrays}) => [...arrays.cell]))].sort((one, other) => one - other);
  const runs = packed.map((run, position) => columnsOfRun(position, run, cells, packed.length > 1));
  const page = new Page(space, runs, cells);
  buildControls(page);
  listen(page);
  page.draw("filter");
}

start().catch(error => {
  byId("count").textContent = typeof DecompressionStream === "undefined" || !Array.prototype.with ?
    "This page needs a browser of 2023 or later (Chrome 110, Firefox 115, Safari 16.4)." : `The page cannot be read: ${error.message}`;
  throw error;
});
