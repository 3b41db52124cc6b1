// What the page shows, as plain values; in the address, so that a view can be shared; and which cells pass its filters.

const RANGES = ["macs", "parameters", "rank"], ALL = 2 ** OPERATIONS - 1;

/** The state of a page that was opened without one. `quantities` are those of all runs, by key. */
function freshState(quantities) {
  const keys = [...quantities.keys()], ending = key => name => name === key || name.endsWith(`.${key}`);
  const accuracy = keys.find(key => quantities.get(key).unit === "%") ?? keys[0];
  return {
    x: keys.find(ending("macs")) ?? keys[0], y: accuracy, colour: "edge4", run: 0, a: null, b: null,
    allowed: new Array(EDGES).fill(ALL), representative: null, once: false,
    macs: [null, null], parameters: [null, null], rank: [null, null], brush: null, view: null,
  };
}

/** The state as the part of the address after #; only what differs from `fresh`. */
function toAddress(state, fresh) {
  const words = new URLSearchParams();
  for (const key of ["x", "y", "colour", "run"]) if (state[key] !== fresh[key]) words.set(key, state[key]);
  for (const key of ["a", "b", "representative"]) if (state[key] !== null) words.set(key, state[key]);
  if (state.allowed.some(bits => bits !== ALL)) words.set("edges", state.allowed.map(bits => bits.toString(32)).join(""));
  if (state.once) words.set("once", 1);
  for (const key of RANGES) {
    if (state[key].some(end => end !== null)) words.set(key, state[key].map(end => end ?? "").join("~"));
  }
  for (const key of ["brush", "view"]) {
    if (state[key]) words.set(key, state[key].map(value => Number(value.toPrecision(6))).join("~"));
  }
  return words.toString();
}

/** The state that an address names; what it names wrongly is left as it is in a fresh one. */
function fromAddress(text, fresh, quantities) {
  const words = new URLSearchParams(text), state = structuredClone(fresh);
  const whole = (key, below) => {
    const value = words.get(key);
    return value !== null && /^\d{1,5}$/.test(value) && Number(value) < below ? Number(value) : null;
  };
  for (const key of ["x", "y"]) if (quantities.has(words.get(key))) state[key] = words.get(key);
  const colour = words.get("colour");
  if (quantities.has(colour) || colour === "one" || /^edge[0-5]$/.test(colour)) state.colour = colour;
  state.run = whole("run", PAGE.runs.length) ?? fresh.run;
  for (const key of ["a", "b", "representative"]) state[key] = whole(key, CELLS);
  if (/^[0-9a-v]{6}$/.test(words.get("edges"))) state.allowed = [...words.get("edges")].map(digit => parseInt(digit, 32));
  state.once = words.get("once") === "1";
  for (const key of RANGES) {
    const ends = (words.get(key) ?? "~").split("~").map(end => end === "" || !Number.isFinite(Number(end)) ? null : Number(end));
    if (ends.length === 2) state[key] = ends;
  }
  for (const key of ["brush", "view"]) {
    const four = (words.get(key) ?? "").split("~").map(parseFloat);
    if (four.length === 4 && four.every(Number.isFinite) && four[0] < four[1] && four[2] < four[3]) state[key] = four;
  }
  return state;
}

/** Which of `cells` pass the filters and lie in the brush: 1 or 0 each. `of(key)` gives a quantity's values. */
function passing(state, cells, space, of) {
  const shown = new Uint8Array(cells.length), x = of(state.x), y = of(state.y), run = PAGE.runs.length > 1 ? `${state.run}.` : "";
  const edges = state.allowed.map((bits, edge) => [bits, OPERATIONS ** (EDGES - 1 - edge)]).filter(([bits]) => bits !== ALL);
  const ranges = RANGES.filter(key => state[key].some(end => end !== null)).map(key =>
    [of(run + key), state[key][0] ?? -Infinity, state[key][1] ?? Infinity]).filter(([values]) => values);
  const {brush} = state;
  cells.forEach((cell, at) => {
    if (!Number.isFinite(x[at]) || !Number.isFinite(y[at])) return;
    for (const [bits, power] of edges) if (!(bits >> Math.floor(space.code[cell] / power) % OPERATIONS & 1)) return;
    if (state.representative !== null && space.representative[cell] !== state.representative) return;
    if (state.once && space.representative[cell] !== cell) return;
    for (const [values, low, high] of ranges) if (!(values[at] >= low && values[at] <= high)) return;
    if (brush && !(x[at] >= brush[0] && x[at] <= brush[1] && y[at] >= brush[2] && y[at] <= brush[3])) return;
    shown[at] = 1;
  });
  return shown;
}
