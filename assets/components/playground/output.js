// The answer of the network over the plane, with the data on it; own points are drawn and erased here.
import { el, number } from "../common.js";
import { answer, dots, fit, heatMap, soft, zeroLine } from "./paint.js";

const REACH = 6; // the plane is [-6, 6] squared
const NEAR = 0.28; // of a point that is to be erased, in data units
const APART = 0.3; // between two points of one stroke
const TOOLS = ["plus", "minus", "erase"];
const MOVES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
let chosen = "plus"; // the tool in hand stays in it where a slow page puts the picture up anew

export class Output {
  /** @param tell what happens on the surface: point([x1, x2]) is looked at (or nothing), points(list) were drawn. */
  constructor(texts, tell) {
    [this.texts, this.tell] = [texts, tell];
    [this.test, this.discrete, this.tool, this.undone] = [false, false, chosen, []];
    this.canvas = el("canvas", { class: "dl-out-canvas", tabindex: "0", role: "img" });
    this.cross = el("span", { class: "dl-out-cross", hidden: true, "aria-hidden": "true" });
    this.said = el("span", { class: "dl-out-said", "aria-live": "polite" });
    this.title = el("span", { class: "dl-net-title" }, texts.output);
    const turn = (name) => (event) => { this[name] = event.target.checked; this.repaint(); };
    this.switches = el("span", { class: "dl-out-switches" }, check(texts.show_test, texts.show_test_help, turn("test")), check(texts.discretize, texts.discretize_help, turn("discrete")));
    this.tools = el("div", { class: "dl-out-tools", role: "toolbar", "aria-label": texts.draw, hidden: true }, ...this.buttons());
    this.frame = el("div", { class: "dl-out-frame" }, this.canvas, this.cross);
    this.low = el("span", {}); this.high = el("span", {});
    this.legend = el("div", { class: "dl-out-legend" }, this.low, el("i", {}), this.high);
    this.root = el("div", { class: "dl-out" }, el("div", { class: "dl-out-head" }, this.title, this.switches), this.frame,
 this.legend, this.tools, this.said);
    this.listen();
  }

  buttons() {
    const mode = (name, mark) =>
      el("button", { type: "button", class: `dl-out-tool dl-out-${name}`, "aria-pressed": String(name === this.tool), title: this.texts[name], "aria-label": this.texts[name],
      onclick: () => this.choose(name) }, mark);
    this.modes = { plus: mode("plus", "●"), minus: mode("minus", "●"), erase: mode("erase", "⌫") };
    const act = (name, action) => el("button", { type: "button", class: "dl-quiet", onclick: action }, this.texts[name]);
    return [...Object.values(this.modes), act("undo", () => this.undo()), act("clear", () => this.put([]))];
  }

  choose(name) {
    this.tool = chosen = name;
    for (const tool of TOOLS) this.modes[tool].setAttribute("aria-pressed", tool === name);
  }

  /** @param view {train, test: rows of (x1, x2, y), classification, drawable}. */
  update(view) {
    const before = this.view;
    this.view = view;
    const { classification, drawable } = view;
    this.reach = classification ? 1 : Math.max(1e-6, ...view.train.map((row) => Math.abs(row[2])), ...view.test.map((row) => Math.abs(row[2])));
    this.low.textContent = classification ? "−1" : number(-this.reach, 2);
    this.high.textContent = classification ? "+1" : number(this.reach, 2);
    this.tools.hidden = !drawable;
    this.legend.hidden = drawable; // the tools say the colours
    this.canvas.classList.toggle("dl-out-drawable", drawable);
    this.canvas.setAttribute("role", drawable ? "application" : "img");
    this.canvas.setAttribute("aria-label", `${this.texts.surface} ${drawable ? this.texts.draw_keys : this.texts.look_keys}`);
    if (!this.stroke && (drawable !== before?.drawable || this.waiting === undefined)) this.points = undefined;
    if (this.waiting !== undefined && view.version === this.waiting) this.points = this.waiting = undefined;
  }

  // --- drawing ---

  /** @param values (side * side,) of the output, or of the unit that is looked at (`unit`). */
  draw(values, side, page, { unit = false } = {}) {
    Object.assign(this, { values, side, page, unit });
    this.repaint();
  }

  repaint() {
    if (!this.values || !this.view) return;
    const width = this.frame.clientWidth;
    if (!width) return;
    const context = fit(this.canvas, width, width);
    const box = { x: 0, y: 0, width, height: width };
    const { classification } = this.view;
    const scale = this.unit ? soft : answer({ classification, discrete: this.discrete, reach: this.reach });
    heatMap(context, this.values, this.side, box, this.page, scale, { smooth: !this.discrete || this.unit });
    if (classification || this.unit) {
      context.strokeStyle = this.page.ink;
      context.lineWidth = 1.2;
      context.globalAlpha = 0.55;
      zeroLine(context, this.values, this.side, box);
      context.globalAlpha = 1;
    }
    const share = classification ? (y) => Math.sign(y) : (y) => y / this.reach;
    this.axes(context, width);
    if (this.test || this.view.drawable) dots(context, this.view.test, box, this.page, share, { test: true });
    dots(context, this.points ?? this.view.train, box, this.page, share);
    if (this.points === undefined && this.view.drawable && !this.view.train.length && !this.view.test.length) this.invite(context, width);
    this.legend.style.setProperty("--low", this.page.negative);
    this.legend.style.setProperty("--middle", this.page.middle);
    this.legend.style.setProperty("--high", this.page.positive);
    this.root.style.setProperty("--dl-plus", this.page.positive);
    this.root.style.setProperty("--dl-minus", this.page.negative);
  }

  /** Which way is which, in the corners. */
  axes(context, width) {
    context.fillStyle = this.page.ink;
    context.globalAlpha = 0.6;
    context.font = `italic 12px KaTeX_Math, "STIX Two Text", Cambria, Georgia, serif`;
    context.textAlign = "right";
    context.fillText("x₁ = 6", width - 5, width / 2 - 4);
    context.textAlign = "center";
    context.fillText("x₂ = 6", width / 2, 13);
    context.globalAlpha = 0.18;
    context.strokeStyle = this.page.ink;
    context.lineWidth = 1;
    context.beginPath();
    context.moveTo(width / 2, 0); context.lineTo(width / 2, width); context.moveTo(0, width / 2); context.lineTo(width, width / 2);
    context.stroke();
    context.globalAlpha = 1;
  }

  invite(context, width) {
    context.fillStyle = this.page.ink;
    context.globalAlpha = 0.7;
    context.textAlign = "center";
    context.font = `14px ${this.page.font}`;
    context.fillText(this.texts.invite, width / 2, width / 2);
    context.globalAlpha = 1;
  }

  // --- pointer and keys ---

  listen() {
    const { canvas } = this;
    canvas.addEventListener("pointermove", (event) => {
      const at = this.place(event);
      this.look(at);
      if (this.stroke) this.extend(at, this.stroke);
    });
    canvas.addEventListener("pointerleave", () => this.stroke || this.look());
    canvas.addEventListener("contextmenu", (event) => this.view?.drawable && event.preventDefault());
    canvas.addEventListener("pointerdown", (event) => {
      if (!this.view?.drawable) return;
      canvas.setPointerCapture(event.pointerId);
      this.begin(this.place(event), event.button === 2 ? "erase" : this.tool);
    });
    for (const type of ["pointerup", "pointercancel"]) canvas.addEventListener(type, () => this.end());
    canvas.addEventListener("keydown", (event) => this.press(event));
    canvas.addEventListener("blur", () => { this.cross.hidden = true; this.look(); });
  }

  place(event) {
    const box = this.canvas.getBoundingClientRect();
    const share = [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height].map((s) => Math.min(1, Math.max(0, s)));
    return [REACH * (2 * share[0] - 1), REACH * (1 - 2 * share[1])];
  }

  look(at) {
    this.tell.point(at);
  }

  press(event) {
    if (event.ctrlKey && event.key === "z" && this.view.drawable) { event.preventDefault(); return this.undo(); }
    const move = MOVES[event.key];
    const act = this.view.drawable && (event.key === "Enter" || event.key === "Delete" || event.key === "Backspace");
    if (!move && !act) return;
    event.preventDefault();
    const by = event.shiftKey ? 1 : 0.2;
    this.at ??= [0, 0];
    if (move) this.at = this.at.map((value, k) => Math.min(REACH, Math.max(-REACH, Number((value + by * move[k]).toFixed(2)))));
    this.cross.hidden = false;
    this.cross.style.left = `${(100 * (this.at[0] + REACH)) / (2 * REACH)}%`;
    this.cross.style.top = `${(100 * (REACH - this.at[1])) / (2 * REACH)}%`;
    this.said.textContent = `x₁ ${number(this.at[0])}; x₂ ${number(this.at[1])}`;
    this.look(this.at);
    if (!act) return;
    this.begin(this.at, event.key === "Enter" ? this.tool : "erase");
    this.end();
  }

  // --- own points ---

  begin(at, tool) {
    this.before = this.points ?? this.own();
    this.points = this.before;
    this.stroke = tool;
    this.last = undefined;
    this.extend(at, tool);
  }

  own() {
    return Array.from(this.view.drawn, (row) => Array.from(row));
  }

  extend(at, tool) {
    if (tool === "erase") this.points = this.points.filter((row) => Math.hypot(row[0] - at[0], row[1] - at[1]) > NEAR);
    else if (!this.last || Math.hypot(this.last[0] - at[0], this.last[1] - at[1]) > APART) {
      const label = tool === "plus" ? 1 : -1;
      this.points = [...this.points, [...at.map((value) => Number(value.toFixed(2))), label]];
      this.last = at;
    }
    this.repaint();
  }

  end() {
    if (!this.stroke) return;
    this.stroke = undefined;
    if (this.points !== this.before) this.put(this.points, this.before);
  }

  put(points, before = this.points ?? this.own()) {
    this.undone.push(before);
    this.send(points);
  }

  undo() {
    const before = this.undone.pop();
    if (before) this.send(before);
  }

  /** Shown at once; the server's answer takes its place when it comes. */
  send(points) {
    this.points = points;
    this.waiting = this.tell.points(points);
    this.repaint();
  }
}

function check(text, help, onchange) {
  return el("label", { class: "dl-out-check", title: help }, el("input", { type: "checkbox", onchange }), text);
}
