// A window slides over a picture and fills its output, number by number; every sum is written out. Python side: ui/convolution_view.py.
import { el, number, style, whenGone } from "./common.js";
import { KernelCells, weightText } from "./kernel_cells.js";
import { PixelGrid } from "./pixel_grid.js";
import { Played } from "./played.js";
import { colours, mix } from "./theme.js";
import { terms, winner } from "./window_sum.js";
import { WindowSum } from "./window_sum_view.js";
import { unpack } from "./wire.js";

const [TALLEST, LARGEST_CELL, GAP, NARROW] = [350, 30, 44, 620]; // px
const MOVES = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
const INKS = [[1, 0.22, 0.22], [0.22, 1, 0.22], [0.32, 0.42, 1], [1, 1, 1]]; // red, green, blue, grey
const INNER = "rgba(128, 128, 128, 0.4)"; // between pixels
const NOTED = 700; // ms at rest before the place goes into the address

export default async function (component) {
  await Promise.all([style("live_plot.css"), style("graph.css"), style("convolution.css")]);
  const host = component.parentElement;
  host.dlConvolution ??= new Convolution(host);
  host.dlConvolution.update(unpack(component.data), component);
  return whenGone(host, () => host.dlConvolution.leave());
}

class Convolution extends Played {
  constructor(host) {
    super();
    host.style.minHeight = "";
    this.channel = 0;
    const pane = (name, ...children) => el("section", { class: `dl-conv-pane dl-conv-${name}` }, el("h4"), ...children);
    const canvas = (attributes) => el("canvas", attributes);
    this.input = new PixelGrid(canvas({ role: "img" }));
    this.output = new PixelGrid(canvas({ role: "application", tabindex: 0 }));
    this.cells = new KernelCells((i, j, value) => this.edit(i, j, value));
    this.tabs = el("div", { class: "dl-conv-tabs", role: "group" });
    this.bias = el("div", { class: "dl-conv-bias" });
    this.problem = el("p", { class: "dl-conv-problem", hidden: true });
    this.lines = el("svg:svg", { class: "dl-conv-lines", "aria-hidden": "true" });
    this.panes = [pane("input", this.tabs, this.input.canvas), pane("kernel", this.cells.root, this.bias), pane("output", this.output.canvas, this.problem)];
    this.bench = el("div", { class: "dl-conv-bench" }, ...this.panes, this.lines);
    this.controls = el("div", { class: "dl-graph-controls" });
    this.sum = new WindowSum((k) => this.cells.light(k));
    this.sizes = el("p", { class: "dl-conv-sizes dl-math" });
    this.table = el("details", { ontoggle: () => this.fillTable() }, el("summary"), el("div"));
    this.root = el("div", { class: "dl-conv" }, this.bench, this.controls, this.sum.root, this.sizes, this.table);
    host.append(this.root);
    this.listen();
    this.watch(this.root, () => this.layout());
  }

  listen() {
    const { canvas } = this.output;
    canvas.addEventListener("pointermove", (event) => this.peek(this.output.at(event)));
    canvas.addEventListener("pointerleave", () => this.peek());
    canvas.addEventListener("click", (event) => this.pin(this.output.at(event)));
    canvas.addEventListener("keydown", (event) => this.key(event));
  }

  get count() {
    const planes = this.data.output;
    return planes ? planes[0].length * planes[0][0].length : 1;
  }

  get seconds() {
    return Math.min(14, Math.max(3, this.count / 14));
  }

  update(data, component) {
    const wasAtEnd = this.head?.atEnd;
    this.data = data;
    this.typed = undefined;
    this.send = (name, value) => component.setTriggerValue(name, value);
    this.channel = Math.min(this.channel, data.input.length - 1);
    if (this.pinned && (!data.output || this.pinned[0] >= data.output[0].length || this.pinned[1] >= data.output[0][0].length)) this.pinned = undefined;
    this.words();
    if (!this.head) this.begin();
    else this.head.changed(wasAtEnd);
    this.say();
    this.layout();
    if (this.table.open) this.fillTable();
  }

  begin() {
    const { at } = this.data;
    this.join(at ? "end" : "begin");
    if (at) this.pinned = at;
    else this.head.autoplay();
  }

  barWords() {
    const { texts } = this.data;
    const done = (frame) => texts.done.replace("{n}", String(frame + 1).padStart(String(this.count).length, "\u2007")).replace("{all}", this.count);
    return { ...texts, at: (frame) => (this.data.output ? done(frame) : "") };
  }

  get columns() {
    return this.data.output?.[0][0].length ?? 1;
  }

  words() {
    const { texts, alt, input, output, geometry, problem, sums, kernel, bias, editable } = this.data;
    const shape = (planes) => `${planes[0].length} × ${planes[0][0].length}`;
    const [left, middle, right] = this.panes.map((pane) => pane.firstChild);
    left.textContent = `${texts.input} ${shape(input)}`;
    middle.textContent = `${texts.operation} ${geometry.size} × ${geometry.size}`;
    right.textContent = output ? `${texts.output} ${shape(output)}` : texts.output;
    this.input.canvas.setAttribute("aria-label", alt);
    this.output.canvas.setAttribute("aria-label", `${texts.output}. ${texts.keys}`);
    this.output.canvas.hidden = !output;
    this.problem.hidden = Boolean(output);
    this.problem.textContent = problem;
    this.sizes.replaceChildren(el("small", {}, texts.size), ...sums.flatMap((text, i) => [i ? el("br") : "", ` ${text}`]));
    this.table.firstChild.textContent = texts.table;
    this.bias.hidden = !kernel;
    this.bias.textContent = `+ b = ${weightText(bias)}`;
    this.tabs.hidden = input.length < 2;
    this.tabs.setAttribute("aria-label", texts.channel);
    this.tabs.replaceChildren(...(input.length < 2 ? [] : texts.channels.map((name, c) =>
      el("button", { type: "button", "aria-pressed": String(c === this.channel), onclick: () => this.show(c) }, name))));
    this.fixed = !editable;
  }

  show(channel) {
    this.channel = channel;
    this.words();
    this.layout();
    this.tabs.children[channel]?.focus({ preventScroll: true });
  }

  /** Sizes of everything, from the room there is; input and output have pixels of one size. */
  layout() {
    const { input, output, geometry, kernel, texts } = this.data;
    const room = this.root.clientWidth;
    if (!room) return;
    const [rows, columns] = [input[0].length + 2 * geometry.padding, input[0][0].length + 2 * geometry.padding];
    const narrow = room < NARROW;
    this.root.classList.toggle("dl-conv-narrow", narrow);
    const inKernel = Math.max(28, Math.min(46, Math.floor((narrow ? room : 236) / geometry.size) - 3));
    const each = narrow ? room - 2 : (room - Math.max(150, geometry.size * (inKernel + 2)) - 2 * GAP) / 2;
    const most = [columns, output?.[0][0].length ?? 1, rows, output?.[0].length ?? 1];
    const cell = Math.max(3, Math.floor(Math.min(LARGEST_CELL, each / Math.max(most[0], most[1]), TALLEST / Math.max(most[2], most[3]))));
    this.sizesOf = { rows, columns, cell };
    this.cells.show(geometry.size, kernel?.[this.channel] ?? null, { cell: inKernel, texts, fixed: this.fixed });
    this.palette();
    this.draw(this.head.frame);
  }

  /** The page's colours as they are now, light or dark. */
  palette() {
    const probe = el("span", { hidden: true });
    this.root.append(probe);
    const named = (name) => {
      probe.style.color = `var(${name})`;
      return getComputedStyle(probe).color;
    };
    const { ink, paper, font } = colours(this.root);
    this.tint = { model: named("--dl-model"), data: named("--dl-data"), line: mix(ink, paper, 0.16), quiet: mix(ink, paper, 0.06), ink, paper };
    probe.remove();
    this.input.font = this.output.font = font;
  }

  // -- where we are ------------------------------------------------------------------------------------------------------

  get place() {
    const frame = this.head.frame;
    return this.peeked ?? this.pinned ?? [Math.floor(frame / this.columns), frame % this.columns];
  }

  peek(place) {
    if (this.head.playing || String(place) === String(this.peeked)) return;
    this.peeked = place;
    this.draw(this.head.frame, true);
  }

  pin(place) {
    if (!place) return;
    this.head.pause();
    this.head.touched = true;
    this.peeked = undefined;
    this.pinned = place;
    this.draw(this.head.frame, true);
    clearTimeout(this.note);
    this.note = setTimeout(() => this.send("at", this.pinned?.join("_") ?? ""), NOTED);
  }

  key(event) {
    const by = MOVES[event.key];
    if (!by || !this.data.output || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    const [rows, columns] = [this.data.output[0].length, this.columns];
    const [row, column] = this.place;
    this.pin([Math.min(rows - 1, Math.max(0, row + by[0])), Math.min(columns - 1, Math.max(0, column + by[1]))]);
  }

  edit(i, j, value) {
    this.typed ??= this.data.kernel.map((plane) => plane.map((row) => Array.from(row)));
    this.typed[this.channel][i][j] = value; // a second weight may be typed before the server has answered the first
    this.send("kernel", this.typed.map((plane) => plane.flat().join("_")).join("~"));
  }

  // -- drawing -----------------------------------------------------------------------------------------------------------

  /** Frame k of the film: the first k + 1 output numbers are known. `still` when only the place is another. */
  draw(k, still = false) {
    if (!this.sizesOf) return;
    if (!still && this.head.playing) this.pinned = this.peeked = undefined;
    if (!still && this.shownFrame !== undefined && this.shownFrame !== k) this.pinned = undefined;
    this.shownFrame = k;
    this.drawInput();
    this.drawOutput(k);
    this.drawLines();
    this.tell();
  }

  settle() {
    this.tell();
  }

  drawInput() {
    const { input, geometry, output, operation } = this.data;
    const { rows, columns, cell } = this.sizesOf;
    const { padding, dilation, size, stride } = geometry;
    const { model, data, line, quiet, paper } = this.tint;
    this.input.size(rows, columns, cell);
    const plane = input[this.channel];
    const inks = input.length > 1 ? INKS[this.channel] : INKS[3];
    for (let r = 0; r < rows; r++) {
      for (let c = 0; c < columns; c++) {
        const value = plane[r - padding]?.[c - padding];
        const shade = inks.map((share) => Math.round(255 * value * share));
        const nothing = operation === "max" ? "" : "0";
        this.input.paint(r, c, value === undefined ? { colour: quiet, text: nothing, padded: true } : { colour: `rgb(${shade})`, text: short(value) }, value === undefined ? line : INNER);
      }
    }
    if (!output) return;
    const [row, column] = this.place;
    const [top, left] = [row * stride, column * stride];
    if (dilation > 1) terms(this.data, this.channel, row, column).forEach(({ i, j }) => this.input.frame(top + i * dilation, left + j * dilation, 1, 1, model, paper, 1.5));
    this.input.frame(top, left, geometry.extent, geometry.extent, model, paper);
    const best = operation === "max" && winner(terms(this.data, this.channel, row, column));
    if (best) this.input.frame(best.y + padding, best.x + padding, 1, 1, data, paper, 3);
  }

  drawOutput(k) {
    const { output, kernel } = this.data;
    if (!output) return;
    const plane = output[kernel ? 0 : this.channel];
    const { cell } = this.sizesOf;
    const { model, data, line, quiet, paper } = this.tint;
    this.output.size(plane.length, this.columns, cell);
    const flat = plane.flatMap((row) => Array.from(row)).filter(Number.isFinite);
    const [low, high] = [Math.min(0, ...flat), Math.max(1e-9, ...flat)];
    const most = Math.max(-low, high);
    const shade = (value) => {
      if (low < 0) return mix(value < 0 ? data : model, paper, Math.min(1, Math.abs(value) / most) * 0.9);
      const grey = Math.round((255 * value) / Math.max(1, high));
      return `rgb(${grey},${grey},${grey})`;
    };
    plane.forEach((row, r) => row.forEach((value, c) => {
      const known = r * this.columns + c <= k;
      this.output.paint(r, c, known ? { colour: shade(value), text: short(value) } : { colour: quiet }, line);
    }));
    this.output.frame(...this.place, 1, 1, model, paper);
  }

  /** From the window to the filter, and from the filter to the number that it makes. */
  drawLines() {
    const { output, geometry } = this.data;
    const wide = output && !this.root.classList.contains("dl-conv-narrow");
    this.lines.replaceChildren();
    if (!wide) return;
    const frame = this.bench.getBoundingClientRect();
    const box = (node) => {
      const { left, right, top, bottom } = node.getBoundingClientRect();
      return { left: left - frame.left, right: right - frame.left, top: top - frame.top, bottom: bottom - frame.top };
    };
    const { cell } = this.sizesOf;
    const [row, column] = this.place;
    const [from, middle, to] = [box(this.input.canvas), box(this.cells.root), box(this.output.canvas)];
    const [y, x] = [from.top + row * geometry.stride * cell, from.left + (column * geometry.stride + geometry.extent) * cell];
    const end = [to.left + column * cell, to.top + row * cell];
    const path = [[x, y, middle.left, middle.top], [x, y + geometry.extent * cell, middle.left, middle.bottom],
      [middle.right, middle.top, end[0], end[1]], [middle.right, middle.bottom, end[0], end[1] + cell]];
    this.lines.append(...path.map(([a, b, c, d]) => el("svg:line", { x1: a, y1: b, x2: c, y2: d })));
  }

  /** The sum, written out. */
  tell() {
    this.sum.show(this.data, this.channel, this.place, this.head.playing || this.peeked);
  }

  fillTable() {
    if (!this.table.open) return;
    const { output, kernel } = this.data;
    const plane = output?.[kernel ? 0 : this.channel] ?? [];
    const head = el("tr", {}, el("th"), ...Array.from(plane[0] ?? [], (_v, c) => el("th", { scope: "col" }, String(c + 1))));
    const rows = plane.map((row, r) => el("tr", {}, el("th", { scope: "row" }, String(r + 1)), ...Array.from(row, (value) => el("td", {}, number(value, 4)))));
    this.table.lastChild.replaceChildren(el("table", {}, head, ...rows));
  }
}

/** A number that fits a pixel: 0.25 as .25, 2.28 as 2.3. */
const short = (value) => number(Number(value.toFixed(Math.abs(value) < 1 ? 2 : 1)), 3).replace(/^(−?)0\./, "$1.");
