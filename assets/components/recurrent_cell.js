// RNN, LSTM and GRU opened: one step with all its numbers, and the memory as a conveyor belt through time. Python side: ui/cell_view.py.
import { Belt, low } from "./cell_belt.js";
import { backward, belt, forward, KEEPING, shares } from "./cell_math.js";
import { CellTable, SHORT } from "./cell_table.js";
import { el, number, style, whenGone } from "./common.js";
import { Played } from "./played.js";
import { plainTable } from "./table.js";
import { unpack } from "./wire.js";

const SECONDS = 0.9; // for each step of the film
const NOTED = 700; // ms at rest before the place goes into the address
const PATIENCE = 3000; // ms until what the server says counts again, where it has not confirmed what was done here

export default async function (component) {
  await Promise.all([style("live_plot.css"), style("graph.css"), style("cell.css")]);
  const host = component.parentElement;
  host.dlCell ??= new RecurrentCell(host);
  host.dlCell.update(unpack(component.data), component);
  return whenGone(host, () => host.dlCell.leave());
}

class RecurrentCell extends Played {
  constructor(host) {
    super();
    host.style.minHeight = "";
    this.own = {}; // what was done here and the server has not confirmed: {edits, holds: text, at: time}
    this.belt = new Belt({ step: (t) => this.pin(t), peek: (t) => this.peek(t), unit: (u, t) => this.open(u, t), key: (event) => this.key(event) });
    this.table = new CellTable({ edit: (place, value) => this.edit(place, value), hold: (gate, value, done) => this.hold(gate, value, done), free: (gate) => this.free(gate) });
    this.table.isTyped = (place) => place in this.edits;
    this.controls = el("div", { class: "dl-graph-controls" });
    this.story = el("p", { class: "dl-cell-story", "aria-live": "polite" });
    this.title = el("h4");
    this.hint = el("small");
    this.sums = el("div", { class: "dl-math dl-cell-sums" });
    this.values = el("details", { ontoggle: () => this.fillValues() }, el("summary"), el("div"));
    this.root = el("div", { class: "dl-cell" }, this.belt.svg, this.controls, this.story,
      el("section", { class: "dl-cell-step" }, el("header", {}, this.title, this.hint), this.table.root, this.sums), this.values);
    host.append(this.root);
    this.watch(this.root);
  }

  get count() {
    return this.data.word.length;
  }

  get seconds() {
    return this.count * SECONDS;
  }

  update(data, component) {
    const before = this.data;
    this.data = data;
    this.send = (name, value) => component.setTriggerValue(name, value);
    const stale = before?.identity !== data.identity || performance.now() - (this.own.at ?? 0) > PATIENCE;
    if (stale || (this.own.edits === data.edits && this.own.holds === data.holds)) this.own = {};
    this.edits = Object.fromEntries(pairs(this.own.edits ?? data.edits).map(([place, value]) => [place, Number(value)]));
    this.holds = readHolds(this.own.holds ?? data.holds);
    if (before?.identity !== data.identity || this.unit >= data.base.weight_hh_l0[0].length) this.unit = data.unit;
    this.peeked = undefined;
    this.compute();
    if (!this.head) this.begin();
    else this.head.changed(this.head.atEnd);
    this.say();
    this.words();
    this.draw(Math.min(this.head.frame, this.count - 1));
  }

  begin() {
    const { at } = this.data;
    this.join("begin");
    if (!at) return this.head.autoplay();
    this.unit = Math.min(at[1], this.data.base.weight_hh_l0[0].length - 1);
    return this.head.seek(Math.min(at[0], this.count - 1));
  }

  barWords() {
    const { texts, word } = this.data;
    return { ...texts, at: (frame) => texts.at.replace("{n}", frame + 1).replace("{all}", this.count).replace("{letter}", word[frame] ?? "") };
  }

  words() {
    const { texts, alt } = this.data;
    this.belt.svg.setAttribute("aria-label", `${alt} ${texts.keys}`);
    this.values.firstChild.textContent = texts.table;
    this.hint.textContent = this.data.editable ? texts.hint[this.data.cell === "rnn" ? 1 : 0] : "";
  }

  /** Everything, from the weights: a millisecond. */
  compute() {
    const { cell, base, word, letters } = this.data;
    this.params = Object.fromEntries(Object.entries(base).map(([name, value]) => [name, typeof value[0] === "number" ? Array.from(value) : value.map((row) => Array.from(row))]));
    for (const [place, value] of Object.entries(this.edits)) {
      const [short, row, column] = place.split(".");
      const array = this.params[SHORT[short]];
      if (array[row] === undefined) continue;
      if (short.startsWith("w")) array[row][column] = value;
      else array[row] = value;
    }
    const X = [...word].map((letter) => [...letters].map((other) => Number(other === letter)));
    this.steps = forward(cell, this.params, X, this.holds);
    this.belts = this.steps.map((v) => belt(cell, v));
    this.computed = true;
  }

  get t() {
    return this.peeked ?? Math.min(this.head.frame, this.count - 1);
  }

  scene() {
    const { cell, word, letters, texts } = this.data;
    const { steps, unit, params, holds, belts, t } = this;
    return {
      cell, word, letters, texts, fixed: !this.data.editable, steps, unit, params, holds, belts, t, frame: Math.min(this.head.frame, this.count - 1), v: steps[t], room: this.root.clientWidth,
      shares: shares(cell, steps, unit), gradient: backward(cell, params, steps, unit, holds), name: `${cell === "lstm" ? "c" : "h"}${low(unit + 1)}`,
    };
  }

  // -- hands -----------------------------------------------------------------------------------------------------------------

  peek(t) {
    if (this.head.playing || t === this.peeked) return;
    this.peeked = t;
    this.draw();
  }

  pin(t) {
    this.head.pause();
    this.head.touched = true;
    this.peeked = undefined;
    this.head.seek(t);
    this.noteLater();
  }

  open(u, t) {
    this.unit = u;
    this.pin(t);
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const H = this.steps[0].h.length;
    const along = { ArrowRight: 1, ArrowLeft: -1, Home: -Infinity, End: Infinity }[event.key];
    const across = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.key === " ") this.head.toggle();
    else if (along) this.pin(Math.min(this.count - 1, Math.max(0, this.t + along)));
    else if (across) this.open((this.unit + across + H) % H, this.t);
    else return;
    event.preventDefault();
  }

  noteLater() {
    clearTimeout(this.note);
    this.note = setTimeout(() => this.send("place", `${this.t}_${this.unit}`), NOTED);
  }

  edit(place, value) {
    this.edits[place] = value;
    const text = Object.entries(this.edits).map((pair) => pair.join("_")).join("~");
    this.done({ edits: text });
    this.send("edits", text);
  }

  hold(gate, value, finished) {
    this.head.pause();
    this.head.touched = true;
    const first = this.holds[gate]?.[0] ?? this.t;
    this.holds[gate] = [Math.min(first, this.t), value];
    this.held(finished);
  }

  free(gate) {
    if (!this.holds[gate]) return;
    delete this.holds[gate];
    this.held(true);
  }

  held(finished) {
    const text = Object.entries(this.holds).map(([gate, [first, value]]) => `${gate}.${first}_${value}`).join("~");
    this.done({ holds: text });
    if (finished) this.send("holds", text);
  }

  /** Remember what was done here, and show at once what comes of it. */
  done(what) {
    this.own = { edits: this.own.edits ?? this.data.edits, holds: this.own.holds ?? this.data.holds, ...what, at: performance.now() };
    this.compute();
    this.draw();
  }

  // -- drawing ---------------------------------------------------------------------------------------------------------------

  draw() {
    if (!this.computed || !this.root.clientWidth) return;
    if (this.head.playing) this.peeked = undefined;
    const scene = this.scene();
    this.root.classList.toggle("dl-cell-plays", this.head.playing);
    this.root.classList.toggle("dl-cell-narrow", scene.room < 640);
    this.belt.draw(scene);
    this.table.draw(scene);
    this.tell(scene);
    this.story.setAttribute("aria-live", this.head.playing || this.peeked !== undefined ? "off" : "polite");
    if (this.values.open) this.fillValues();
  }

  settle() {
    this.draw();
    this.noteLater();
  }

  tell(scene) {
    const { texts, word, cell, t, unit, shares: all } = scene;
    this.title.textContent = texts.step_title.replace("{n}", t + 1).replace("{letter}", word[t]).replace("{unit}", unit + 1);
    this.sums.replaceChildren(...this.formulas(scene));
    const own = Math.abs(all[t][t]) >= 0.02;
    const step = own ? t : all.reduce((best, row, k) => (Math.abs(row[k]) > Math.abs(all[best][best]) ? k : best), 0); // else the one that put most there
    const [put, left] = [all[step][step], all.at(-1)[step]];
    const say = cell === "rnn" ? texts.rnn_story : own ? texts.kept : Math.abs(put) < 0.02 ? texts.empty : texts.nothing;
    const words = { n: t + 1, s: step + 1, letter: word[step], put: plain(put), left: plain(left), share: `${Math.round(Math.abs(left / put) * 100)}%`, unit: unit + 1, h: plain(scene.v.h_new[unit]), gradient: number(Math.hypot(...scene.gradient.total[t]), 2) };
    this.story.textContent = say.replace(/\{(\w+)\}/g, (_m, name) => words[name]);
  }

  /** What the gates do with the belt, and the way back, in numbers. */
  formulas({ cell, v, unit, t, gradient, texts }) {
    const u = low(unit + 1);
    const value = (x) => el("b", {}, bracket(plain(x)));
    const result = (x, kind = "model") => el("b", { class: kind }, plain(x));
    const line = (...parts) => el("div", {}, ...parts);
    const shape = () => el("small", {}, `(${v.h.length})`);
    const total = gradient.total[t - 1]?.[unit];
    const straight = gradient.straight[t - 1]?.[unit];
    const belt = cell === "lstm" ? "c" : "h";
    const keep = KEEPING[cell];
    const prime = () => el("sup", {}, "′"); // after the step
    const slope = (kind, ...after) => el("span", { class: kind }, "∂h", el("sub", {}, "T"), `/∂${belt}${u}`, ...after);
    const back = t === 0 ? [] : [line(slope("gradient"), " = ",
      ...(cell === "rnn" ? [] : [`${keep} · `, slope("", prime()), " + … = ", value(v[keep][unit]), " · ", value(gradient.total[t][unit]), " + ", value(total - straight), " = "]), result(total, "gradient"), el("small", {}, texts.through))];
    if (cell === "lstm") return [
      line(`c${u}`, prime(), ` = f · c${u} + i · g = `, value(v.f[unit]), " · ", value(v.c[unit]), " + ", value(v.i[unit]), " · ", value(v.g[unit]), " = ", result(v.c_new[unit]), shape()),
      line(`h${u}`, prime(), ` = o · tanh(c${u}`, prime(), ") = ", value(v.o[unit]), " · tanh(", el("b", {}, plain(v.c_new[unit])), ") = ", result(v.h_new[unit]), shape()), ...back];
    if (cell === "gru") return [line(`h${u}`, prime(), ` = (1 − z) · n + z · h${u} = `, value(1 - v.z[unit]), " · ", value(v.n[unit]), " + ", value(v.z[unit]), " · ", value(v.h[unit]), " = ", result(v.h_new[unit]), shape()), ...back];
    return [line(`h${u}`, prime(), " = tanh(", el("b", {}, plain(v.a_a?.[unit])), ") = ", result(v.h_new[unit]), shape()), ...back];
  }

  fillValues() {
    if (!this.values.open) return;
    const scene = this.scene();
    const { cell, texts, word, steps, unit, gradient } = scene;
    const names = { rnn: ["h_new"], lstm: ["i", "f", "g", "o", "c_new", "h_new"], gru: ["r", "z", "n", "h_new"] }[cell];
    const head = [texts.step, "x", ...names.map((name) => name.replace("_new", "") + low(unit + 1)), texts.gradient];
    const rows = steps.map((v, t) => [String(t + 1), word[t], ...names.map((name) => number(v[name][unit], 4)), number(Math.hypot(...gradient.total[t]), 3)]);
    this.values.lastChild.replaceChildren(plainTable(head, rows));
  }
}

const pairs = (text) => text.split("~").filter(Boolean).map((part) => part.split("_"));
const readHolds = (text) => Object.fromEntries(pairs(text).map(([place, value]) => [place.split(".")[0], [Number(place.split(".")[1]), Number(value)]]));
const bracket = (text) => (text.startsWith("−") ? `(${text})` : text);

/** A number as it is read in a sum: three decimals at most. */
const plain = (value) => (Math.abs(value) >= 1e-3 || value === 0 ? number(Number(value.toFixed(3)), 4) : number(value, 2));
