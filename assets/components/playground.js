// The playground: a network that is drawn, edited and watched while it learns. Python side: ui/playground.py.
//
// The server sends the frames (flat parameters and losses) that are new; this side evaluates the network itself, so a
// frame costs the server nothing but its bytes. What the user does goes back through an outbox: every edit has a number
// and is sent until the server has acknowledged it.
import { el, style, whenGone } from "./common.js";
import { Curves } from "./playground/curves.js";
import { Film } from "./playground/film.js";
import { Graph } from "./playground/graph.js";
import { Link } from "./playground/link.js";
import { Network, confusion, grid, meanLoss } from "./playground/network.js";
import { Output } from "./playground/output.js";
import { palette } from "./playground/paint.js";
import { Unit } from "./playground/unit.js";
import { Bar } from "./player.js";
import { unpack } from "./wire.js";

const [FINE, COARSE, BUDGET] = [100, 16, 1.6e6]; // points a side; products that a moving frame may cost
const REST = 160; // ms without a new frame after which the picture is drawn as finely as it can be
const GROUP = "playground";

export default async function (component) {
  const sheets = Promise.all([style("live_plot.css"), style("playground.css")]);
  const host = component.parentElement;
  const data = unpack(component.data);
  await sheets;
  if (host.dlPlayground?.language !== data.language) {
    host.dlPlayground?.leave();
    host.dlPlayground = new Playground(host, data);
  }
  host.dlPlayground.update(data, component.setStateValue);
  return whenGone(host, () => host.dlPlayground?.leave());
}

class Playground {
  constructor(host, { texts, language }) {
    Object.assign(this, { texts, language, client: Math.random().toString(36).slice(2), sent: 0, outbox: [] });
    this.film = new Film(GROUP, { draw: () => this.draw() });
    const steer = {
      weight: (layer, i, j, value) => this.ask("weight", [layer, i, j, value]),
      freeze: (layer, i, j, on) => this.ask("freeze", [layer, i, j, on]),
    };
    this.link = new Link(texts, { ...steer, left: () => this.graph.light() });
    this.graph = new Graph(texts, {
      edit: (values) => this.edit(values),
      open: (layer, unit) => this.open(layer, unit),
      peek: (layer, unit) => this.peek(layer, unit),
      link: (link, event, click) => this.touch(link, event, click),
    });
    this.output = new Output(texts, { point: (at) => this.look(at), points: (list) => this.ask("points", list) });
    this.unit = new Unit(texts, { ...steer, point: (at) => this.look(at), close: () => this.close() });
    this.curves = new Curves(texts, { seek: (step) => this.film.seek(step) });
    this.matrix = el("div", { class: "dl-matrix" });
    this.bar = new Bar(GROUP, { ...texts, at: (frame) => this.caption(frame) });
    this.epoch = el("input", { type: "text", inputmode: "numeric", class: "dl-go-entry", "aria-label": texts.go_label, title: texts.go_help, placeholder: texts.go_to });
    this.go = el("form", { class: "dl-go", onsubmit: (event) => { event.preventDefault(); this.rewind(); } }, this.epoch);
    this.left = el("div", { class: "dl-pg-left" }, this.graph.root, el("div", { class: "dl-pg-bar" }, this.bar.root, this.go), this.unit.root, this.link.root);
    this.right = el("div", { class: "dl-pg-right" }, this.output.root, this.curves.root, this.matrix);
    this.root = el("div", { class: "dl-pg" }, this.left, this.right);
    host.replaceChildren(this.root);
    this.observer = new ResizeObserver(() => this.resized());
    this.observer.observe(this.root);
    this.looked = [2, 1];
    this.scheme = matchMedia("(prefers-color-scheme: dark)");
  }

  // --- what the server says ---

  update(data, setStateValue) {
    this.setStateValue = setStateValue;
    if (data.running && !this.data?.running) this.film.follow();
    this.data = data;
    if (data.ack.client === this.client) this.outbox = this.outbox.filter((edit) => edit.n > data.ack.n);
    this.page = palette(this.root);
    this.build(data);
    this.output.update({ ...data.points, version: data.ack.client === this.client ? data.ack.n : 0 });
    if (data.run !== this.run) {
      if (data.since >= 0) return this.missing();
      this.run = data.run;
      this.film.begin(data.frames);
    } else if (!this.film.add(data.frames, data.since)) this.missing();
    if (data.again && data.again.n !== this.again) {
      this.again = data.again.n;
      this.film.insert(data.again.frames);
    }
    this.draw();
  }

  /** Frames were lost on the way (a reload, a page that came back): ask for all of them. */
  missing() {
    if (!this.outbox.some((edit) => edit.name === "resend")) this.ask("resend", true);
  }

  /** The structure of the network on screen. Edits that the server has not answered yet are shown already. */
  build({ network, shape, editable, steerable, frozen }) {
    const key = JSON.stringify(network);
    if (key !== this.networkKey) {
      this.networkKey = key;
      this.network = new Network(network);
      this.every = new Network({ inputs: shape.all, layers: [] }); // for the heat maps of features that are off
      this.points = new Map();
      if (this.opened && (this.opened[0] > network.layers.length || this.opened[1] >= (this.network.layers[this.opened[0]]?.units ?? 0))) this.close();
    }
    this.steerable = steerable;
    this.graph.update({
      all: shape.all, names: shape.activations, features: network.inputs, widths: network.layers.map((layer) => layer.units),
      activations: network.layers.length ? network.layers.map((layer) => layer.activation) : [shape.activation], editable, network: this.network,
      frozen: new Set(frozen.map((place) => place.join(","))),
    });
    if (this.opened) this.unit.show(...this.opened, this.graph, steerable);
  }

  // --- what the user does ---

  /** Send an edit; returns its number, under which the server will acknowledge it. */
  ask(name, value) {
    const held = ["weight", "points"].includes(name); // of a weight that is dragged only the newest matters
    const same = (edit) => edit.name === name && (name === "points" || JSON.stringify(edit.value.slice(0, 3)) === JSON.stringify(value.slice(0, 3)));
    if (held) this.outbox = this.outbox.filter((edit) => !same(edit));
    this.outbox.push({ n: ++this.sent, name, value });
    this.setStateValue("edits", { client: this.client, list: this.outbox });
    return this.sent;
  }

  /** Knobs that the picture changes: features, layers, activation. Quick clicks add up. */
  edit(values) {
    for (const [name, value] of Object.entries(values)) this.ask("knob", [name, value]);
    const { network, shape } = this.data;
    const list = (text) => (text === "" ? [] : text.split(","));
    if ("features" in values) network.inputs = list(values.features);
    const names = "activation" in values ? list(values.activation) : network.layers.map((layer) => layer.activation);
    if ("layers" in values) network.layers = list(values.layers).map((units, l) => ({ ...network.layers[l], units: Number(units) }));
    network.layers = network.layers.map((layer, l) => ({ ...layer, activation: names[Math.min(l, names.length - 1)] }));
    shape.activation = names[0] ?? shape.activation;
    this.build(this.data); // drawn with its weights as soon as the server has made them
  }

  rewind() {
    const epoch = Number(this.epoch.value.replace(/[\s,]/g, ""));
    this.epoch.value = "";
    if (!Number.isFinite(epoch) || epoch < 0) return;
    const known = this.film.frames.findIndex((frame) => frame.epoch === epoch);
    if (known >= 0) this.film.head.step(known - this.film.head.frame);
    else if (this.data.can_replay) this.ask("replay", epoch);
    else this.film.seek(this.film.frames.find((frame) => frame.epoch >= epoch)?.step ?? Infinity);
  }

  open(layer, unit) {
    if (this.opened?.[0] === layer && this.opened[1] === unit) return this.close();
    this.opened = [layer, unit];
    this.graph.mark(this.opened);
    this.unit.show(layer, unit, this.graph, this.steerable);
    const there = this.graph.units[layer + 1][unit];
    this.unit.root.classList.toggle("dl-unit-right", there.x < this.graph.size.width / 2);
    this.draw();
    this.unit.root.querySelector("button").focus({ preventScroll: true });
  }

  close() {
    const from = this.opened && this.graph.boxes.querySelector(`[data-name="u${this.opened[0]}-${this.opened[1]}"]`);
    this.opened = undefined;
    this.graph.mark(null);
    this.unit.hide();
    from?.focus({ preventScroll: true });
  }

  peek(layer, unit) {
    this.peeked = layer === undefined || layer > this.network.layers.length - 1 ? undefined : [layer, unit];
    this.draw();
  }

  look(at) {
    this.looked = at ?? this.looked;
    if (this.opened) this.drawUnit();
  }

  touch(link, event, click) {
    const about = link && this.graph.describe(link);
    const frozen = link && this.graph.frozen.has(`${link.layer},${link.i},${link.j}`);
    if (click) this.link.open(link, about, event, this.left, frozen, this.steerable);
    else this.link.hover(link, about, event, this.left, this.steerable);
    this.draw();
  }

  // --- drawing ---

  /**
   * The frame at the playhead, with the weights that were changed by hand where it stands: before the first step, and
   * after the newest one of a run that rests.
   */
  frame() {
    const frame = this.film.current;
    if (!frame || frame.parameters.length !== this.network.size) return frame;
    const { first, rest, loss } = this.data;
    const edits = [...(frame.step === 0 ? first : []), ...(frame === this.film.newest ? rest : [])];
    if (!edits.length) return frame;
    const key = JSON.stringify(edits);
    if (this.edited?.from === frame && this.edited.key === key) return this.edited;
    const parameters = Float32Array.from(frame.parameters);
    for (const [layer, i, j, value] of edits) parameters[this.network.index(layer, i, j)] = value;
    const lossOn = (rows) => {
      const column = (k) => Float32Array.from(rows, (row) => row[k]);
      return meanLoss(this.network.forward(parameters, this.network.features(column(0), column(1)), rows.length).at(-1), column(2), loss);
    };
    const { train, test } = this.data.points;
    return (this.edited = { ...frame, parameters, train_loss: lossOn(train), test_loss: lossOn(test), from: frame, key });
  }

  caption(frame) {
    const at = this.film?.frames[Math.min(frame, this.film.frames.length - 1)];
    return at ? `${this.texts.epoch} ${Math.floor(at.epoch).toLocaleString("en-US")}` : "";
  }

  /** How finely a frame may be drawn: as finely as fits into a share of a frame's time, and at rest quite finely. */
  side(resting) {
    if (resting) return Math.max(COARSE, Math.min(FINE, Math.floor(Math.sqrt((8 * BUDGET) / (this.network.size + 30)))));
    return Math.max(COARSE, Math.min(64, Math.floor(Math.sqrt(BUDGET / (this.network.size + 30)))));
  }

  inputs(side) {
    if (!this.points.has(side)) {
      const { x1, x2 } = grid(side);
      this.points.set(side, { own: this.network.features(x1, x2), every: this.every.features(x1, x2) });
    }
    return this.points.get(side);
  }

  /** Draw the frame that the playhead stands at, now; and once more, finely, when it rests. */
  draw(resting = false) {
    const frame = this.frame();
    if (!frame || !this.network || frame.parameters.length !== this.network.size || this.gone) return;
    const side = this.side(resting);
    const { own, every } = this.inputs(side);
    const values = this.network.forward(frame.parameters, own, side * side);
    this.shown = { frame, values, side };
    this.graph.draw(values, side, frame.parameters, this.page, every);
    const peeked = this.peeked && values[this.peeked[0]]?.subarray(this.peeked[1] * side * side, (this.peeked[1] + 1) * side * side);
    this.output.draw(peeked ?? values.at(-1), side, this.page, { unit: Boolean(peeked) });
    this.curves.draw(this.film.frames.slice(0, this.film.count), frame, this.page);
    this.drawMatrix(frame);
    if (this.opened) this.drawUnit();
    clearTimeout(this.resting);
    if (resting) return;
    this.resting = setTimeout(() => this.draw(true), REST);
    this.root.dataset.redraws = String(this.film.redraws);
    this.root.dataset.step = String(frame.step);
  }

  drawUnit() {
    const { frame, values, side } = this.shown ?? {};
    if (!frame || values.length !== this.network.layers.length + 1) return;
    const sums = [];
    const here = this.network.forward(frame.parameters, this.network.features([this.looked[0]], [this.looked[1]]), 1, sums);
    this.unit.draw({ values, side, parameters: frame.parameters, graph: this.graph, page: this.page, point: { at: this.looked, values: here, sums } });
  }

  /** Right and wrong answers on the test points, of the frame that is shown. */
  drawMatrix({ parameters }) {
    const { test, train, classification } = this.data.points;
    const rows = test.length ? test : train;
    this.matrix.hidden = !classification || !rows.length;
    if (this.matrix.hidden) return;
    const column = (k) => Float32Array.from(rows, (row) => row[k]);
    if (this.asked?.rows !== rows) this.asked = { rows, x1: column(0), x2: column(1), y: column(2) };
    const outputs = this.network.forward(parameters, this.network.features(this.asked.x1, this.asked.x2), rows.length).at(-1);
    const counts = confusion(outputs, this.asked.y);
    const key = counts.join();
    if (key === this.counts) return;
    this.counts = key;
    const total = rows.length;
    const right = counts[0][0] + counts[1][1];
    const cell = (text, kind, share) => el("td", { class: kind, style: share === undefined ? undefined : `--share:${share}` }, text);
    this.matrix.replaceChildren(el("table", {},
      el("caption", {}, (test.length ? this.texts.matrix : this.texts.matrix_train).replace("{share}", `${((100 * right) / total).toFixed(1)}%`).replace("{n}", total)),
      el("thead", {}, el("tr", {}, el("td", {}), el("th", { scope: "col" }, this.texts.said_minus), el("th", { scope: "col" }, this.texts.said_plus))),
      el("tbody", {}, ...[0, 1].map((truth) => el("tr", {}, el("th", { scope: "row" }, truth ? this.texts.is_plus : this.texts.is_minus),
        ...[0, 1].map((said) => cell(String(counts[truth][said]), truth === said ? "dl-right" : "dl-wrong", counts[truth][said] / Math.max(1, counts[truth][0] + counts[truth][1]))))))));
  }

  resized() {
    cancelAnimationFrame(this.sizing);
    this.sizing = requestAnimationFrame(() => {
      if (!this.data || this.gone) return;
      this.graph.key = undefined;
      this.build(this.data);
      this.draw();
    });
  }

  leave() {
    this.gone = true;
    clearTimeout(this.resting);
    this.observer.disconnect();
    this.bar.remove();
    this.film.leave();
  }
}
