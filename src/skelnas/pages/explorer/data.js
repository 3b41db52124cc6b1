// Unpacking what Python packed (pages/packing.py), and the quantities that every cell has.

const MISSING_COUNT = 2 ** 32 - 1, MISSING_STEP = 255, CELLS = 15625, EDGES = 6, OPERATIONS = 5;
const TYPES = {uint8: Uint8Array, uint16: Uint16Array, uint32: Uint32Array, float32: Float32Array, float64: Float64Array};

/** The head of the blob in the element with that id, and its arrays by name. */
async function unpack(id) {
  const letters = atob(document.getElementById(id).textContent.trim()), packed = new Uint8Array(letters.length);
  for (let at = 0; at < letters.length; at++) packed[at] = letters.charCodeAt(at);
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  const buffer = await new Response(stream).arrayBuffer();
  const length = new DataView(buffer).getUint32(0, true);
  const head = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  const arrays = {};
  for (const [name, {type, at, length: size}] of Object.entries(head.arrays)) {
    arrays[name] = new TYPES[type](buffer, 4 + length + at, size);
  }
  return {head, arrays};
}

/** All cells: their digits, kinds of edges, classes, strings, and the way back from digits to the index. */
function searchSpace({arrays}) {
  const indexOf = new Uint16Array(CELLS);
  arrays.code.forEach((code, index) => { indexOf[code] = index; });
  const digits = index => inBase(arrays.code[index], OPERATIONS);
  return {
    digits,
    kinds: index => inBase(arrays.kinds[index], 4),
    code: arrays.code,
    representative: arrays.representative,
    indexOfDigits: six => indexOf[six.reduce((code, digit) => code * OPERATIONS + digit, 0)],
    text: index => cellText(digits(index)),
  };
}

function inBase(number, base) {
  const found = new Array(EDGES);
  for (let edge = EDGES - 1; edge >= 0; edge--) { found[edge] = number % base; number = Math.floor(number / base); }
  return found;
}

/** The string of a cell, as NAS-Bench-201 writes it. */
function cellText(digits) {
  const word = edge => `${PAGE.operations[digits[edge]].key}~${PAGE.edges[edge][0]}`;
  return `|${word(0)}|+|${word(1)}|${word(2)}|+|${word(3)}|${word(4)}|${word(5)}|`;
}

/** The six digits of such a string, or null where it is none. */
function parseCell(string) {
  const words = string.trim().match(/^\|([^|+]+)\|\+\|([^|+]+)\|([^|+]+)\|\+\|([^|+]+)\|([^|+]+)\|([^|+]+)\|$/);
  if (!words) return null;
  const digits = words.slice(1).map((word, edge) => {
    const [operation, source] = word.split("~");
    return source === String(PAGE.edges[edge][0]) ? PAGE.operations.findIndex(known => known.key === operation) : -1;
  });
  return digits.includes(-1) ? null : digits;
}

/** The six neighbours by four: for each edge and operation the cell that has it there, its own included. */
function neighbourhood(space, index) {
  const own = space.digits(index);
  return own.map((_, edge) => PAGE.operations.map((_, digit) => space.indexOfDigits(own.with(edge, digit))));
}

/** A run as columns over `cells`, the ascending indices of all runs; NaN where the run lacks a cell. */
function columnsOfRun(position, {head, arrays}, cells, several) {
  const run = PAGE.runs[position], rows = rowsOf(arrays.cell, cells), number = arrays.cell.length;
  const onCells = values => Float64Array.from(rows, row => row < 0 ? NaN : values[row]);
  const quantities = [];
  const add = (key, label, unit, values) => quantities.push({
    key: several ? `${position}.${key}` : key, label: several ? `${run.name}: ${label}` : label, short: label, unit,
    values: onCells(values), run: position,
  });
  const perSeed = (metric, split, seed) => percent(
    arrays[metric].subarray((split * head.seeds.length + seed) * number, (split * head.seeds.length + seed + 1) * number),
    head.samples[split]);
  const seeds = {};
  for (const split of [2, 1, 0]) {
    const name = PAGE.splits[split], words = PAGE.splitNames[split];
    seeds[name] = head.seeds.map((_, seed) => perSeed("top1", split, seed));
    if (!head.samples[split] || seeds[name].every(allMissing)) continue;
    add(name, `${words} accuracy`, "%", meanOf(seeds[name]));
    if (head.seeds.length > 1) add(`${name}-spread`, `${words} accuracy, spread of seeds`, "points", spreadOf(seeds[name]));
    const top5 = head.seeds.map((_, seed) => perSeed("top5", split, seed));
    if (!top5.every(allMissing)) add(`${name}-top5`, `${words} top-${head.k} accuracy`, "%", meanOf(top5));
    const loss = arrays.loss.subarray(split * number, (split + 1) * number);
    if (!allMissing(loss)) add(`${name}-loss`, `${words} loss`, "", loss);
  }
  if (!allMissing(arrays.at_best)) add("at-best", "test accuracy at the best validation epoch", "%", arrays.at_best);
  add("macs", "multiply-accumulates", "M", arrays.macs.map(value => value / 1e6));
  add("parameters", "parameters", "k", arrays.parameters.map(value => value / 1e3));
  const ranked = quantities.find(({unit}) => unit === "%");
  if (ranked) add("rank", `rank by ${ranked.short}`, "", ranksOf(arrays.cell.length, ranked, rows));
  return {...run, head, rows, quantities, seeds, ranked};
}

function percent(counts, samples) {
  return Float64Array.from(counts, count => count === MISSING_COUNT ? NaN : 100 * count / samples);
}

function allMissing(values) { return values.every(Number.isNaN); }

/** For each of `cells` its position in `own`, -1 where it is not there; both ascend. */
function rowsOf(own, cells) {
  const position = new Int32Array(CELLS).fill(-1);
  own.forEach((cell, row) => { position[cell] = row; });
  return Int32Array.from(cells, cell => position[cell]);
}

function meanOf(columns) {
  return columns[0].map((_, row) => {
    const there = columns.map(column => column[row]).filter(value => !Number.isNaN(value));
    return there.length ? there.reduce((sum, value) => sum + value, 0) / there.length : NaN;
  });
}

/** The sample standard deviation over the seeds; NaN with fewer than two. */
function spreadOf(columns) {
  const means = meanOf(columns);
  return means.map((mean, row) => {
    const there = columns.map(column => column[row]).filter(value => !Number.isNaN(value));
    if (there.length < 2) return NaN;
    return Math.sqrt(there.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (there.length - 1));
  });
}

/** The rank of each row of the run from 1, the best; equals (to a billionth) share it. */
function ranksOf(number, {values}, rows) {
  const perRow = new Float64Array(number).fill(NaN);
  rows.forEach((row, place) => { if (row >= 0) perRow[row] = Math.round(values[place] * 1e9) / 1e9; });
  const sorted = perRow.filter(value => !Number.isNaN(value)).sort().reverse(), first = new Map();
  sorted.forEach((value, place) => { if (!first.has(value)) first.set(value, place + 1); });
  return perRow.map(value => first.get(value) ?? NaN);
}

/** The thinned learning curves of one cell: for each split that has any its name, means, lowest and highest seed. */
function curvesOf({head, arrays}, row) {
  const points = head.epochs.length, series = head.banded.map(band => band ? 3 : 1), value = step => step * head.step;
  const curves = arrays.curves, each = series.reduce((sum, number) => sum + number, 0);
  return head.splits.map((split, position) => {
    const band = head.banded[position];
    const at = (row * each + series.slice(0, position).reduce((sum, number) => sum + number, 0)) * points;
    const mean = [], low = [], high = [];
    for (let point = 0, step = 0; point < points; point++) {
      step = (step + curves[at + point]) % 256;
      const there = step !== MISSING_STEP;
      mean.push(there ? value(step) : NaN);
      low.push(there && band ? value(step - curves[at + points + point]) : NaN);
      high.push(there && band ? value(step + curves[at + 2 * points + point]) : NaN);
    }
    return {split, mean, low, high};
  });
}
