// A small network as matrices, forward or backward; a weight opened shows what makes its gradient. Python: ui/layer_view.py.
import { el, number, style, whenGone } from "./common.js";
import { unpack } from "./wire.js";

export default async function (component) {
  await Promise.all([style("graph.css"), style("layers.css")]);
  const host = component.parentElement;
  host.dlLayers ??= new Layers(host);
  host.dlLayers.update(unpack(component.data), component);
  return whenGone(host, () => {});
}

class Layers {
  constructor(host) {
    this.mode = "forward";
    this.buttons = ["forward", "backward"].map((mode) => el("button", { type: "button", onclick: () => this.show(mode) }));
    this.buttons[1].style.setProperty("--dl-mode", "var(--dl-gradient)");
    this.modes = el("div", { class: "dl-layers-modes", role: "group" }, ...this.buttons);
    this.rows = el("div", { class: "dl-layers-rows", tabindex: "0", role: "group" });
    this.path = el("div", { class: "dl-layers-path", "aria-live": "polite" });
    this.root = el("div", { class: "dl-layers" }, this.modes, this.rows, this.path);
    host.append(this.root);
  }

  update(data, component) {
    this.pick = (place) => component.setTriggerValue("pick", place.join(","));
    const text = JSON.stringify([data.layers, data.texts], (_k, v) => (ArrayBuffer.isView(v) ? [...v] : v));
    if (text === this.text) return; // what has the focus keeps it
    this.text = text;
    this.data = data;
    this.chosen = undefined;
    this.modes.setAttribute("aria-label", data.texts.mode);
    this.rows.setAttribute("aria-label", data.texts.alt);
    this.show(this.mode);
  }

  show(mode) {
    this.mode = mode;
    const { texts, layers } = this.data;
    this.buttons.forEach((button, k) => {
      const name = k ? "backward" : "forward";
      button.textContent = texts[name];
      button.setAttribute("aria-pressed", String(mode === name));
    });
    const numbers = [...layers.keys()];
    const rows = mode === "forward" ? numbers.map((l) => this.forward(l)) : numbers.reverse().map((l) => this.backward(l));
    this.rows.replaceChildren(...rows);
    this.tell();
    this.light();
  }

  forward(l) {
    const { layers, texts, activation } = this.data;
    const layer = layers[l];
    const last = l === layers.length - 1;
    const row = [this.matrix(name("a", l), layer.a_in, ["a_in", l]), op("·"), this.matrix(name("W", l + 1), layer.W, ["W", l], true), op("+"),
      this.matrix(name("b", l + 1), layer.b, ["b", l]), op("="), this.matrix(name("z", l + 1), layer.z, ["z", l])];
    if (!last) row.push(op(`→ ${activation} →`), this.matrix(name("a", l + 1), layer.a, ["a", l]));
    else row.push(op(`= ${texts.answer};`), this.matrix(texts.target, this.data.y, ["y", l]), op(`L = ${number(this.data.loss, 4)}`));
    return el("div", { class: "dl-layers-row" }, el("h4", {}, texts.layer.replace("{n}", l + 1)), ...row);
  }

  backward(l) {
    const { layers, texts } = this.data;
    const layer = layers[l];
    const last = l === layers.length - 1;
    const row = last
      ? [this.matrix(name("δ", l + 1), layer.delta, ["delta", l]), op("= 2(f − y) / n")]
      : [this.matrix(name("δ", l + 2), layers[l + 1].delta, ["delta", l + 1]), op("·"), this.matrix(`${name("W", l + 2)}ᵀ`, transposed(layers[l + 1].W), ["WT", l + 1]),
          op("⊙"), this.matrix(`f′(${name("z", l + 1)})`, layer.slope, ["slope", l]), op("="), this.matrix(name("δ", l + 1), layer.delta, ["delta", l])];
    row.push(op(";"), this.matrix(`${name("a", l)}ᵀ`, transposed(layer.a_in), ["aT", l]), op("·"), op(name("δ", l + 1)), op("="), this.matrix(`∂L/∂${name("W", l + 1)}`, layer.dW, ["dW", l], true));
    return el("div", { class: "dl-layers-row" }, el("h4", {}, texts.layer.replace("{n}", l + 1)), ...row);
  }

  matrix(title, values, [kind, l], clickable = false) {
    const largest = Math.max(1e-12, ...values.map((row) => Math.max(...row.map ? Array.from(row, Math.abs) : [0])));
    const rows = values.map((row, i) => el("tr", {}, ...Array.from(row, (value, j) => {
      const share = Math.round((Math.abs(value) / largest) * 62);
      const text = number(value, 2);
      const cell = el("td", { "data-cell": `${kind}-${l}-${i}-${j}`, style: `background: color-mix(in srgb, var(${value < 0 ? "--dl-data" : "--dl-model"}) ${share}%, transparent)` });
      cell.append(clickable ? el("button", { type: "button", "aria-label": `${title} ${i + 1}, ${j + 1}: ${text}`, onclick: () => this.choose(l, i, j) }, text) : text);
      return cell;
    })));
    return el("figure", { class: "dl-matrix" }, el("figcaption", {}, title, el("small", {}, `${values.length} × ${values[0].length}`)), el("table", {}, el("tbody", {}, ...rows)));
  }

  choose(l, i, j) {
    this.chosen = [l, i, j];
    this.pick(this.chosen);
    this.show("backward");
    this.rows.querySelector(`[data-cell="dW-${l}-${i}-${j}"] button`)?.focus({ preventScroll: true });
  }

  /** Which activations and deltas make the gradient of the chosen weight. */
  tell() {
    const { layers, texts } = this.data;
    if (!this.chosen) return this.path.replaceChildren(el("p", {}, texts.invite));
    const [l, i, j] = this.chosen;
    const layer = layers[l];
    const terms = layer.a_in.map((row, r) => `${inner(row[i])} · ${inner(layer.delta[r][j])}`).join(" + ");
    const weight = `w${digits(l + 1, true)}${digits(i + 1)}${digits(j + 1)}`;
    const lines = [`∂L/∂${weight} = Σ a${digits(l, true)}${digits(i + 1)} · δ${digits(l + 1, true)}${digits(j + 1)} = ${terms} = ${number(layer.dW[i][j], 4)}`];
    if (l + 1 < layers.length) {
      const next = layers[l + 1];
      const parts = Array.from(next.W[j], (w, k) => `${inner(next.delta[0][k])} · ${inner(w)}`).join(" + ");
      lines.push(`δ${digits(l + 1, true)}${digits(j + 1)} (${texts.row}) = (${parts}) · ${inner(layer.slope[0][j])} = ${number(layer.delta[0][j], 4)}`);
    }
    this.path.replaceChildren(el("p", {}, texts.path.replace("{weight}", weight).replace("{i}", i + 1).replace("{j}", j + 1).replace("{l}", l + 1)),
      ...lines.map((line) => el("div", { class: "dl-math" }, line)));
  }

  light() {
    if (!this.chosen) return;
    const [l, i, j] = this.chosen;
    const cells = (query) => this.rows.querySelectorAll(query);
    cells(`[data-cell^="dW-${l}-${i}-${j}"], [data-cell="W-${l}-${i}-${j}"]`).forEach((cell) => cell.classList.add("dl-chosen"));
    const n = this.data.layers[l].a_in.length;
    for (let r = 0; r < n; r++) {
      for (const kind of [`aT-${l}-${i}-${r}`, `a_in-${l}-${r}-${i}`, `delta-${l}-${r}-${j}`]) cells(`[data-cell="${kind}"]`).forEach((cell) => cell.classList.add("dl-lit"));
    }
    cells(`[data-cell^="WT-${l + 1}-"][data-cell$="-${j}"]`).forEach((cell) => cell.classList.add("dl-lit"));
  }
}

const op = (text) => el("span", { class: "dl-layers-op" }, text);
const HIGH = "⁰¹²³⁴⁵⁶⁷⁸⁹";
const LOW = "₀₁₂₃₄₅₆₇₈₉";
const digits = (n, high = false) => [...String(n)].map((c) => (high ? HIGH : LOW)[c]).join("");
const name = (letter, l) => (letter === "a" && l === 0 ? "X" : `${letter}${digits(l, true)}`);
const inner = (value) => (value < 0 ? `(${number(value, 3)})` : number(value, 3));
const transposed = (rows) => Array.from(rows[0], (_v, j) => rows.map((row) => row[j]));
