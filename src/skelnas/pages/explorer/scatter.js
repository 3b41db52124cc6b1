// The scatter: three canvases (axes, points, marks), and a grid over the screen for finding the point near the pointer.

const GRID = 16, REACH = 20, MARGIN = {left: 58, right: 12, top: 10, bottom: 44};

class Scatter {
  /** `stage` holds the canvases; `x`, `y`: the values of all cells; `view`: what is seen, [x0, x1, y0, y1]. */
  constructor(stage) {
    this.stage = stage;
    [this.axes, this.points, this.marks] = stage.querySelectorAll("canvas");
    this.x = this.y = this.colours = new Float64Array(0);
    this.shown = new Uint8Array(0);
    this.view = [0, 1, 0, 1];
    this.resize();
  }

  resize() {
    this.ratio = Math.min(window.devicePixelRatio || 1, 2);
    this.width = this.stage.clientWidth;
    this.height = this.stage.clientHeight;
    for (const canvas of [this.axes, this.points, this.marks]) {
      canvas.width = Math.round(this.width * this.ratio);
      canvas.height = Math.round(this.height * this.ratio);
    }
    this.image = null;
  }

  /** Everything that is there, with a margin; around a point where all are one; 0 to 1 where there is none. */
  extent() {
    return [this.x, this.y].flatMap((values, axis) => {
      const other = axis ? this.x : this.y;
      let low = Infinity, high = -Infinity;
      for (let at = 0; at < values.length; at++) {
        const value = values[at];
        if (!Number.isFinite(value) || !Number.isFinite(other[at])) continue;
        if (value < low) low = value;
        if (value > high) high = value;
      }
      if (low > high) return [0, 1];
      const margin = (high - low || Math.abs(high) || 1) * 0.04;
      return [low - margin, high + margin];
    });
  }

  toScreen(x, y) {
    const [x0, x1, y0, y1] = this.view, {left, right, top, bottom} = MARGIN;
    return [left + (this.width - left - right) * (x - x0) / (x1 - x0),
      this.height - bottom - (this.height - top - bottom) * (y - y0) / (y1 - y0)];
  }

  toValue(px, py) {
    const [x0, x1, y0, y1] = this.view, {left, right, top, bottom} = MARGIN;
    return [x0 + (x1 - x0) * (px - left) / (this.width - left - right),
      y0 + (y1 - y0) * (this.height - bottom - py) / (this.height - top - bottom)];
  }

  drawAxes(xLabel, yLabel) {
    const paper = this.axes.getContext("2d"), [x0, x1, y0, y1] = this.view, {left, right, top, bottom} = MARGIN;
    paper.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    paper.clearRect(0, 0, this.width, this.height);
    paper.font = "12px system-ui, sans-serif";
    paper.lineWidth = 1;
    const mark = (values, horizontal) => {
      for (const value of values) {
        const [px, py] = this.toScreen(horizontal ? value : x0, horizontal ? y0 : value).map(Math.round);
        paper.strokeStyle = colourOf("--rule");
        paper.beginPath();
        if (horizontal) { paper.moveTo(px + 0.5, top); paper.lineTo(px + 0.5, this.height - bottom); }
        else { paper.moveTo(left, py + 0.5); paper.lineTo(this.width - right, py + 0.5); }
        paper.stroke();
        paper.fillStyle = colourOf("--muted");
        paper.textAlign = horizontal ? "center" : "right";
        paper.fillText(tickText(value, values), horizontal ? px : left - 7, horizontal ? this.height - bottom + 17 : py + 4);
      }
    };
    mark(ticks(x0, x1, Math.max(2, this.width / 80)), true);
    mark(ticks(y0, y1, Math.max(2, this.height / 70)), false);
    paper.fillStyle = colourOf("--ink");
    paper.textAlign = "center";
    paper.fillText(xLabel, (left + this.width - right) / 2, this.height - 8, this.width - left - right);
    paper.save();
    paper.translate(14, (top + this.height - bottom) / 2);
    paper.rotate(-Math.PI / 2);
    paper.fillText(yLabel, 0, 0, this.height - top - bottom);
    paper.restore();
  }

  /** Draw every point into one image, those that are not shown faint and below; and sort them into the grid. */
  drawPoints(palette, faint) {
    const paper = this.points.getContext("2d"), {width, height} = this.points;
    if (!width || !height) return;
    this.image ??= paper.createImageData(width, height);
    const pixels = new Uint32Array(this.image.data.buffer);
    pixels.fill(0);
    const number = this.x.length, few = number < 400 ? 4.5 : number < 3000 ? 3.2 : 2.3;
    const disc = stamp(few * this.ratio), small = stamp(Math.min(few, 1.6) * this.ratio);
    this.place();
    for (const wanted of [0, 1]) {
      const shape = wanted ? disc : small;
      for (let at = 0; at < number; at++) {
        if (this.shown[at] !== wanted || this.sx[at] < 0) continue;
        const colour = wanted ? palette[this.colours[at]] : faint;
        const px = Math.round(this.sx[at] * this.ratio), py = Math.round(this.sy[at] * this.ratio);
        for (let k = 0; k < shape.length; k += 3) {
          const qx = px + shape[k], qy = py + shape[k + 1];
          if (qx < 0 || qy < 0 || qx >= width || qy >= height) continue;
          blend(pixels, qy * width + qx, colour, shape[k + 2]);
        }
      }
    }
    paper.putImageData(this.image, 0, 0);
  }

  /** Screen places of all points (-1: outside), and the grid: points of a square lie side by side in `sorted`. */
  place() {
    const number = this.x.length, {left, right, top, bottom} = MARGIN, [x0, x1, y0, y1] = this.view;
    const ax = (this.width - left - right) / (x1 - x0), ay = (this.height - top - bottom) / (y1 - y0);
    this.columns = Math.ceil(this.width / GRID) + 1;
    const squares = this.columns * (Math.ceil(this.height / GRID) + 1);
    if (this.sx?.length !== number) { this.sx = new Float32Array(number); this.sy = new Float32Array(number); }
    const begin = new Int32Array(squares + 1), square = new Int32Array(number).fill(-1);
    for (let at = 0; at < number; at++) {
      const px = left + (this.x[at] - x0) * ax, py = this.height - bottom - (this.y[at] - y0) * ay;
      const inside = px >= left - 1 && px <= this.width - right + 1 && py >= top - 1 && py <= this.height - bottom + 1;
      this.sx[at] = inside ? px : -1;
      this.sy[at] = inside ? py : -1;
      if (!inside || !this.shown[at]) continue;
      square[at] = Math.floor(py / GRID) * this.columns + Math.floor(px / GRID);
      begin[square[at] + 1]++;
    }
    for (let at = 0; at < squares; at++) begin[at + 1] += begin[at];
    this.begin = begin.slice();
    this.sorted = new Int32Array(begin[squares]);
    for (let at = 0; at < number; at++) if (square[at] >= 0) this.sorted[begin[square[at]]++] = at;
  }

  /** The shown point nearest to a place on the screen, within reach; -1 where there is none. */
  near(px, py) {
    let best = -1, least = REACH * REACH;
    const column = Math.floor(px / GRID), row = Math.floor(py / GRID), around = Math.ceil(REACH / GRID);
    for (let r = row - around; r <= row + around; r++) {
      for (let c = column - around; c <= column + around; c++) {
        if (r < 0 || c < 0 || c >= this.columns || (r * this.columns + c + 1) >= this.begin.length) continue;
        for (let k = this.begin[r * this.columns + c]; k < this.begin[r * this.columns + c + 1]; k++) {
          const at = this.sorted[k], distance = (this.sx[at] - px) ** 2 + (this.sy[at] - py) ** 2;
          if (distance < least) { least = distance; best = at; }
        }
      }
    }
    return best;
  }

  /** The nearest shown point in the direction of an arrow key: within 45 degrees of it, or -1. */
  towards(from, dx, dy) {
    let best = -1, least = Infinity;
    for (let at = 0; at < this.x.length; at++) {
      if (!this.shown[at] || this.sx[at] < 0 || at === from) continue;
      const ax = this.sx[at] - this.sx[from], ay = this.sy[at] - this.sy[from];
      const along = ax * dx + ay * dy, across = Math.abs(ax * dy) + Math.abs(ay * dx);
      if (along <= 0 || across > along) continue;
      const distance = along + 2 * across;
      if (distance < least) { least = distance; best = at; }
    }
    return best;
  }

  /** Rings round marked points, [{at, colour, label, size}], and the brushed rectangle in values, or null. */
  drawMarks(marked, brush) {
    const paper = this.marks.getContext("2d");
    paper.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    paper.clearRect(0, 0, this.width, this.height);
    if (brush) {
      const {left, right, top, bottom} = MARGIN;
      const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
      const [a, b] = this.toScreen(brush[0], brush[3]), [c, d] = this.toScreen(brush[1], brush[2]);
      const box = [clamp(a, left, this.width - right), clamp(b, top, this.height - bottom),
        clamp(c, left, this.width - right), clamp(d, top, this.height - bottom)];
      paper.fillStyle = colourOf("--brush");
      paper.strokeStyle = colourOf("--ink");
      paper.lineWidth = 1;
      paper.fillRect(box[0], box[1], box[2] - box[0], box[3] - box[1]);
      paper.strokeRect(box[0] + 0.5, box[1] + 0.5, box[2] - box[0], box[3] - box[1]);
    }
    for (const {at, colour, label, size} of marked) {
      if (at < 0 || this.sx[at] === undefined || this.sx[at] < 0) continue;
      for (const [width, style] of [[4.5, colourOf("--paper")], [2.2, colour]]) {
        paper.beginPath();
        paper.arc(this.sx[at], this.sy[at], size, 0, 2 * Math.PI);
        paper.lineWidth = width;
        paper.strokeStyle = style;
        paper.stroke();
      }
      if (!label) continue;
      paper.font = "bold 13px system-ui, sans-serif";
      paper.textAlign = "left";
      paper.lineWidth = 4;
      paper.strokeStyle = colourOf("--paper");
      paper.strokeText(label, this.sx[at] + size + 3, this.sy[at] - size + 2);
      paper.fillStyle = colour;
      paper.fillText(label, this.sx[at] + size + 3, this.sy[at] - size + 2);
    }
  }
}

const stamps = new Map();

/** The pixels of a disc: dx, dy and opacity (0..255), one after the other. */
function stamp(radius) {
  if (!stamps.has(radius)) {
    const reach = Math.ceil(radius), found = [];
    for (let dy = -reach; dy <= reach; dy++) {
      for (let dx = -reach; dx <= reach; dx++) {
        const cover = Math.min(Math.max(radius + 0.5 - Math.hypot(dx, dy), 0), 1);
        if (cover > 0.05) found.push(dx, dy, Math.round(cover * 205));
      }
    }
    stamps.set(radius, Int16Array.from(found));
  }
  return stamps.get(radius);
}

/** Put a colour (bytes r, g, b from the lowest) with an opacity over a pixel. */
function blend(pixels, at, colour, alpha) {
  const old = pixels[at], below = old >>> 24;
  if (!below) { pixels[at] = (alpha << 24 | colour) >>> 0; return; }
  const rest = below * (255 - alpha) / 255, all = alpha + rest;
  const mix = shift => ((colour >>> shift & 255) * alpha + (old >>> shift & 255) * rest) / all;
  pixels[at] = (all << 24 | mix(16) << 16 | mix(8) << 8 | mix(0)) >>> 0;
}

/** "#rrggbb" as the bytes that `blend` takes. */
function bytes(colour) {
  const [r, g, b] = [1, 3, 5].map(at => parseInt(colour.slice(at, at + 2), 16));
  return b << 16 | g << 8 | r;
}

function colourOf(name) { return getComputedStyle(document.documentElement).getPropertyValue(name).trim(); }

/** Round values between two, about `number` of them. */
function ticks(low, high, number) {
  const rough = (high - low) / number, power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find(factor => factor * power >= rough);
  const found = [];
  for (let k = Math.ceil(low / step); k * step <= high; k++) found.push(k * step);
  return found;
}

function tickText(value, all) {
  const step = all.length > 1 ? all[1] - all[0] : Math.abs(value) || 1;
  return grouped.format(Number(value.toFixed(Math.max(0, -Math.floor(Math.log10(step) + 1e-9)))));
}
