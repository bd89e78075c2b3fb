// One unit, opened: its heat map in large, and its formula with the numbers of the point that is looked at.
import { el, number, parseNumber } from "../common.js";
import { button } from "./graph.js";
import { NAMES } from "./names.js";
import { fit, heatMap, soft } from "./paint.js";

const FORMULA = { linear: "u", sigmoid: "1 / (1 + e⁻ᵘ)", tanh: "tanh u", relu: "max(0, u)", leaky_relu: "u > 0 ? u : 0.01 u", gelu: "u · Φ(u)", sin: "sin u" };
const SIDE = 136;

export class Unit {
  /** @param tell weight(layer, i, j, value), freeze(layer, i, j, on), point(at), close(). */
  constructor(texts, tell) {
    [this.texts, this.tell] = [texts, tell];
    this.title = el("h3", {});
    this.canvas = el("canvas", { class: "dl-unit-canvas", "aria-hidden": "true" });
    this.where = el("p", { class: "dl-unit-where" });
    this.rows = el("tbody", {});
    this.sums = el("div", { class: "dl-unit-sums" });
    this.root = el("section", { class: "dl-unit", hidden: true, "aria-label": texts.opened },
      el("header", {}, this.title, button("×", texts.close, () => tell.close())),
      el("div", { class: "dl-unit-top" }, this.canvas, el("div", {}, this.where, this.sums)),
      el("div", { class: "dl-unit-scroll" }, el("table", {},
        el("thead", {}, el("tr", {}, ...["input", "weight", "value", "product", "hold"].map((name) => el("th", {}, texts[name])))), this.rows)),
      el("p", { class: "dl-unit-bias" }, texts.bias_explained));
    this.root.addEventListener("keydown", (event) => event.key === "Escape" && tell.close());
    this.canvas.addEventListener("pointermove", (event) => {
      const box = this.canvas.getBoundingClientRect();
      tell.point([12 * ((event.clientX - box.left) / box.width) - 6, 6 - 12 * ((event.clientY - box.top) / box.height)]);
    });
    this.canvas.addEventListener("pointerleave", () => tell.point());
  }

  show(layer, unit, graph, steerable) {
    this.at = [layer, unit];
    this.root.hidden = false;
    this.title.textContent = layer === graph.widths.length ? this.texts.output_unit : this.texts.unit.replace("{layer}", layer + 1).replace("{unit}", unit + 1);
    const inputs = layer === 0 ? graph.features.map((f) => NAMES[f]) : Array.from({ length: graph.widths[layer - 1] }, (_, i) => `a${subscript(i + 1)}`);
    const key = JSON.stringify([layer, unit, inputs, steerable]);
    if (key === this.key) return;
    this.key = key;
    this.lines = [...inputs.map((name, i) => this.line(name, layer, i, unit, steerable)), this.line(this.texts.bias, layer, -1, unit, steerable)];
    this.rows.replaceChildren(...this.lines.map((line) => line.row));
  }

  line(name, layer, i, j, steerable) {
    const entry = el("input", { type: "text", inputmode: "decimal", "aria-label": `${this.texts.weight} ${name}`, disabled: !steerable });
    const apply = () => {
      const value = parseNumber(entry.value);
      if (Number.isFinite(value)) this.tell.weight(layer, i, j, value);
      entry.blur();
    };
    entry.addEventListener("change", apply);
    const hold = el("input", { type: "checkbox", "aria-label": `${this.texts.hold} ${name}`, title: this.texts.hold_help, disabled: !steerable, onchange: () => this.tell.freeze(layer, i, j, hold.checked) });
    const [value, product] = [el("td", {}), el("td", {})];
    return { i, entry, hold, value, product, row: el("tr", {}, el("th", { scope: "row" }, name), el("td", {}, entry), value, product, el("td", {}, hold)) };
  }

  hide() {
    this.root.hidden = true;
    this.at = undefined;
  }

  /** @param point {at: [x1, x2], values, sums}: the network's numbers for the point that is looked at. */
  draw({ values, side, parameters, graph, page, point }) {
    if (!this.at) return;
    const [layer, unit] = this.at;
    const { network } = graph;
    const n = side * side;
    const context = fit(this.canvas, SIDE, SIDE);
    heatMap(context, values[layer + 1].subarray(unit * n, (unit + 1) * n), side, { x: 0, y: 0, width: SIDE, height: SIDE }, page, soft);
    context.strokeStyle = page.ink;
    context.beginPath();
    context.arc(((point.at[0] + 6) / 12) * SIDE, ((6 - point.at[1]) / 12) * SIDE, 4, 0, 2 * Math.PI);
    context.stroke();
    this.where.textContent = `x₁ = ${number(point.at[0])}, x₂ = ${number(point.at[1])}`;
    const typing = this.root.getRootNode().activeElement;
    for (const { i, entry, hold, value, product } of this.lines) {
      const w = parameters[network.index(layer, i, unit)];
      const a = i < 0 ? 1 : point.values[layer][i];
      if (typing !== entry) entry.value = number(w, 4);
      entry.style.color = w < 0 ? "var(--dl-data)" : "var(--dl-model-text)";
      value.textContent = i < 0 ? "× 1" : `× ${number(a)}`;
      product.textContent = `= ${number(w * a)}`;
      if (typing !== hold) hold.checked = graph.frozen.has(`${layer},${i},${unit}`);
    }
    this.sums.replaceChildren(...this.formula(network.layers[layer], point, layer, unit).map((text) => el("p", {}, text)));
  }

  formula({ activation, batch_norm, residual }, point, layer, unit) {
    const [z, a] = [point.sums[layer][unit], point.values[layer + 1][unit]];
    const said = [`z = Σ w·a + b = ${number(z)}`];
    if (batch_norm) said.push(this.texts.normalised);
    const u = batch_norm ? "u" : "z";
    said.push(`${residual ? "a" : layer === point.sums.length - 1 ? "f" : "a"} = ${FORMULA[activation].replaceAll("u", u)}${residual ? ` + a${subscript(unit + 1)}` : ""} = ${number(a)}`);
    return said;
  }
}

const subscript = (n) => [...String(n)].map((c) => "₀₁₂₃₄₅₆₇₈₉"[c]).join("");
