// The network as a picture that can be edited: features, units with their heat maps, weights as links.
import { el } from "../common.js";
import { NAMES, formula } from "./names.js";
import { fit, heatMap, soft } from "./paint.js";

const [HEAD, LABEL, END] = [62, 46, 54]; // px: above the units, left of the features, right of the last layer
const [LARGEST, SMALLEST, MOST_UNITS, MOST_LAYERS] = [40, 9, 32, 8];
const NEAR = 6; // px between the pointer and the link that it means
const WIDEST = 6;
const SAMPLES = 14; // points on a link that the pointer is compared with

export class Graph {
  /** @param tell what the picture asks for: edit(name, value), open(layer, unit), peek(layer, unit), link(link, event). */
  constructor(texts, tell) {
    [this.texts, this.tell] = [texts, tell];
    this.canvas = el("canvas", { class: "dl-net-canvas", "aria-hidden": "true" });
    this.boxes = el("div", { class: "dl-net-boxes" });
    this.count = el("output", {});
    this.minus = button("−", texts.fewer_layers, () => this.setLayers(this.widths.slice(0, -1)));
    this.plus = button("+", texts.more_layers, () => this.setLayers([...this.widths, this.widths.at(-1) ?? 4]));
    this.top = el("div", { class: "dl-net-top" }, el("span", { class: "dl-net-title" }, texts.features),
      el("span", { class: "dl-net-depth" }, this.minus, this.count, this.plus));
    this.field = el("div", { class: "dl-net-field" }, this.canvas, this.boxes);
    this.scroll = el("div", { class: "dl-net-scroll" }, this.field);
    this.root = el("div", { class: "dl-net", role: "group", "aria-label": texts.network }, this.top, this.scroll);
    this.canvas.addEventListener("pointermove", (event) => this.hover(event));
    this.canvas.addEventListener("pointerleave", () => this.light());
    this.canvas.addEventListener("click", (event) => {
      this.hover(event);
      if (this.lit) tell.link(this.lit, event, true);
    });
    this.boxes.addEventListener("keydown", (event) => this.press(event));
  }

  // --- structure ---

  /** @param shape {all, features, widths, activations, names, editable, network, frozen}: what the config says. */
  update(shape) {
    Object.assign(this, shape);
    this.count.textContent = this.texts.layers.replace("{n}", this.widths.length);
    this.minus.disabled = !this.editable || this.widths.length === 0;
    this.plus.disabled = !this.editable || this.widths.length >= MOST_LAYERS;
    const key = JSON.stringify([shape.all, shape.features, shape.widths, shape.activations, shape.editable, this.field.clientWidth]);
    if (key === this.key) return;
    this.key = key;
    this.build();
  }

  setLayers(widths) {
    const activations = widths.map((_, l) => this.activations[Math.min(l, this.activations.length - 1)] ?? "tanh");
    this.tell.edit({ layers: widths.join(","), activation: joined(activations) });
  }

  setUnits(layer, by) {
    this.setLayers(this.widths.map((n, l) => (l === layer ? Math.min(MOST_UNITS, Math.max(1, n + by)) : n)));
  }

  setActivation(layer, name) {
    this.tell.edit({ activation: joined(this.activations.map((old, l) => (l === layer ? name : old))) });
  }

  setFeature(name) {
    const kept = this.all.filter((f) => (f === name ? !this.features.includes(f) : this.features.includes(f)));
    if (kept.length) this.tell.edit({ features: kept.join(",") });
  }

  /** Places of all units and the buttons over them. */
  build() {
    const depth = this.widths.length;
    const width = Math.max(this.scroll.clientWidth || 600, LABEL + END + 70 * (depth + 1));
    this.size = { width, height: this.scroll.clientHeight || 400 };
    this.field.style.width = `${width}px`;
    const pitch = (width - LABEL - END - 24) / Math.max(1, depth);
    const room = this.size.height - HEAD - 6;
    const column = (n, x) => {
      const step = Math.min(LARGEST + 9, room / n);
      const side = Math.max(SMALLEST, Math.min(LARGEST, step - (step > 20 ? 6 : 2), depth > 5 ? 34 : LARGEST));
      return Array.from({ length: n }, (_, j) => ({ x, y: HEAD + step * (j + 0.5), side }));
    };
    const all = column(this.all.length, LABEL + 20);
    this.shown = all; // every feature, on or off
    this.units = [this.features.map((name) => all[this.all.indexOf(name)]), ...this.widths.map((n, l) => column(n, LABEL + 20 + pitch * (l + 1)))];
    this.output = { x: width - 10, y: HEAD + room * 0.42, side: 14 };
    this.units.push([this.output]);
    const focus = this.boxes.getRootNode().activeElement?.dataset?.name;
    this.boxes.replaceChildren(...this.featureBoxes(all), ...this.widths.flatMap((n, l) => this.layerBoxes(l, pitch)), this.outputBox());
    if (focus) this.boxes.querySelector(`[data-name="${CSS.escape(focus)}"]`)?.focus();
    this.mark();
  }

  /** Ring round the unit that is opened. */
  mark(opened = this.opened) {
    this.opened = opened;
    for (const box of this.boxes.querySelectorAll("[data-unit]")) box.classList.toggle("dl-opened", Boolean(opened) && box.dataset.name === `u${opened[0]}-${opened[1]}`);
  }

  featureBoxes(places) {
    return this.all.flatMap((name, f) => {
      const on = this.features.includes(name);
      const box = over(places[f], { class: `dl-net-unit dl-net-feature${on ? "" : " dl-off"}`, "aria-pressed": String(on), "aria-label": this.texts.feature.replace("{name}", NAMES[name]),
        title: on ? this.texts.feature_off : this.texts.feature_on, disabled: !this.editable, "data-name": `f${f}`, onclick: () => this.setFeature(name) });
      const label = el("span", { class: `dl-net-label${on ? "" : " dl-off"}`, style: `top:${places[f].y}px;width:${LABEL - 6}px` }, ...formula(name));
      box.addEventListener("mouseenter", () => on && this.tell.peek(0, this.features.indexOf(name)));
      box.addEventListener("mouseleave", () => this.tell.peek());
      return [label, box];
    });
  }

  layerBoxes(layer, pitch) {
    const units = this.units[layer + 1];
    const n = this.widths[layer];
    const t = (text) => text.replace("{n}", layer + 1);
    const menu = el("select", { class: "dl-net-menu", "aria-label": t(this.texts.activation), title: t(this.texts.activation), disabled: !this.editable, "data-name": `a${layer}`,
      onchange: (event) => this.setActivation(layer, event.target.value) },
      ...Object.entries(this.names).map(([value, name]) => el("option", { value, selected: value === this.activations[layer] }, name)));
    const head = el("div", { class: "dl-net-head", style: `left:${units[0].x}px;width:${Math.min(112, Math.max(66, pitch - 6))}px` },
      el("span", { class: "dl-net-count" },
        button("−", t(this.texts.fewer_units), () => this.setUnits(layer, -1), { disabled: !this.editable || n <= 1, "data-name": `-${layer}` }),
        el("output", { title: t(this.texts.units) }, String(n)),
        button("+", t(this.texts.more_units), () => this.setUnits(layer, 1), { disabled: !this.editable || n >= MOST_UNITS, "data-name": `+${layer}` })),
      menu);
    return [head, ...units.map((place, j) => this.unitBox(place, layer, j, this.texts.unit.replace("{layer}", layer + 1).replace("{unit}", j + 1)))];
  }

  outputBox() {
    const box = this.unitBox(this.output, this.widths.length, 0, this.texts.output_unit);
    box.classList.add("dl-net-output");
    return box;
  }

  unitBox(place, layer, j, name) {
    const box = over(place, { class: "dl-net-unit", "aria-label": name, title: name, tabindex: j ? -1 : 0, "data-name": `u${layer}-${j}`, "data-layer": layer, "data-unit": j,
      onclick: () => this.tell.open(layer, j) });
    box.addEventListener("mouseenter", () => this.tell.peek(layer + 1, j));
    box.addEventListener("focus", () => box.matches(":focus-visible") && this.tell.peek(layer + 1, j));
    for (const type of ["mouseleave", "blur"]) box.addEventListener(type, () => this.tell.peek());
    return box;
  }

  /** Arrow keys go from unit to unit. */
  press(event) {
    const [layer, unit] = [event.target.dataset?.layer, event.target.dataset?.unit].map(Number);
    const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    if (!(event.key in moves) || Number.isNaN(layer)) return;
    const [dl, du] = moves[event.key];
    const most = (layer + dl === this.widths.length ? 1 : this.widths[layer + dl]) - 1;
    const next = this.boxes.querySelector(`[data-layer="${layer + dl}"][data-unit="${Math.max(0, Math.min(most, unit + du))}"]`);
    if (!next) return;
    event.preventDefault();
    next.focus();
  }

  // --- drawing ---

  /** @param values of every layer on a grid of side x side points, as Network.forward gives them. */
  draw(values, side, parameters, page, inputsOfAll) {
    if (!this.units || this.network.layers.length !== this.widths.length + 1) return;
    const context = fit(this.canvas, this.size.width, this.size.height);
    context.clearRect(0, 0, this.size.width, this.size.height);
    this.parameters = parameters;
    this.drawLinks(context, parameters, page);
    const n = side * side;
    this.all.forEach((name, f) => {
      context.globalAlpha = this.features.includes(name) ? 1 : 0.28;
      this.square(context, this.shown[f], inputsOfAll.subarray(f * n, (f + 1) * n), side, page);
    });
    context.globalAlpha = 1;
    for (let l = 1; l <= this.widths.length; l++)
      this.units[l].forEach((place, j) => {
        this.square(context, place, values[l].subarray(j * n, (j + 1) * n), side, page);
        this.drawBias(context, place, parameters[this.network.index(l - 1, -1, j)], page);
      });
    context.beginPath();
    context.arc(this.output.x, this.output.y, 5, 0, 2 * Math.PI);
    context.fillStyle = page.ink;
    context.fill();
    this.drawBias(context, { ...this.output, side: 12 }, parameters[this.network.index(this.widths.length, -1, 0)], page);
  }

  square(context, { x, y, side: size }, values, side, page) {
    const box = { x: x - size / 2, y: y - size / 2, width: size, height: size };
    heatMap(context, values, side, box, page, soft);
    context.strokeStyle = page.ink;
    context.lineWidth = 0.6;
    context.strokeRect(box.x, box.y, size, size);
  }

  drawBias(context, place, bias, page) {
    if (place.side < 12 && place !== this.output) return;
    const at = biasPlace(place);
    context.fillStyle = bias > 0 ? page.positive : bias < 0 ? page.negative : page.middle;
    context.globalAlpha = 0.25 + 0.75 * Math.min(1, Math.abs(bias));
    context.fillRect(at.x - 3, at.y - 3, 6, 6);
    context.globalAlpha = 1;
    context.strokeStyle = page.ink;
    context.lineWidth = 0.5;
    context.strokeRect(at.x - 3, at.y - 3, 6, 6);
  }

  /** Links of like look are one path: thousands of single strokes would take longer than the network itself. */
  drawLinks(context, parameters, page) {
    const looks = new Map();
    this.eachLink((layer, i, j) => {
      const w = parameters[this.network.index(layer, i, j)];
      const strength = Math.min(WIDEST, Math.round(4 * (0.5 + 1.6 * Math.abs(w))) / 4);
      const frozen = this.frozen.has(`${layer},${i},${j}`);
      const look = `${w < 0 ? "-" : "+"}${strength}${frozen ? "f" : ""}`;
      if (!looks.has(look)) looks.set(look, { path: new Path2D(), w, strength, frozen });
      curve(looks.get(look).path, this.units[layer][i], this.units[layer + 1][j]);
    });
    for (const { path, w, strength, frozen } of looks.values()) {
      context.globalAlpha = Math.min(0.95, 0.18 + 0.3 * strength);
      context.strokeStyle = w < 0 ? page.negative : page.positive;
      context.lineWidth = strength;
      context.setLineDash(frozen ? [4, 3] : []);
      context.stroke(path);
    }
    context.setLineDash([]);
    context.globalAlpha = 1;
    if (this.lit && this.lit.i >= 0) this.drawLit(context, page);
  }

  drawLit(context, page) {
    const path = new Path2D();
    curve(path, this.units[this.lit.layer][this.lit.i], this.units[this.lit.layer + 1][this.lit.j]);
    context.strokeStyle = page.ink;
    context.lineWidth = 2;
    context.stroke(path);
  }

  eachLink(visit) {
    for (let layer = 0; layer + 1 < this.units.length; layer++)
      for (let i = 0; i < this.units[layer].length; i++) for (let j = 0; j < this.units[layer + 1].length; j++) visit(layer, i, j);
  }

  // --- pointer ---

  hover(event) {
    const box = this.canvas.getBoundingClientRect();
    this.light(this.nearest(event.clientX - box.left, event.clientY - box.top), event);
  }

  light(link, event) {
    const changed = link?.layer !== this.lit?.layer || link?.i !== this.lit?.i || link?.j !== this.lit?.j;
    this.lit = link;
    this.canvas.classList.toggle("dl-net-over", Boolean(link));
    if (changed) this.tell.link(link, event, false);
  }

  /** The link (or bias, i = -1) nearest to a place. */
  nearest(x, y) {
    if (!this.units) return undefined;
    let [best, least] = [undefined, NEAR];
    const offer = (distance, link) => {
      if (distance < least) [best, least] = [link, distance];
    };
    this.units.slice(1).forEach((units, layer) => units.forEach((place, j) => {
      const at = biasPlace(place);
      offer(Math.hypot(at.x - x, at.y - y) - 3, { layer, i: -1, j });
    }));
    if (best) return best;
    this.eachLink((layer, i, j) => {
      const [a, b] = ends(this.units[layer][i], this.units[layer + 1][j]);
      if (x < a.x - NEAR || x > b.x + NEAR) return;
      for (let k = 0; k <= SAMPLES; k++) {
        const t = k / SAMPLES;
        const s = t * t * (3 - 2 * t);
        const [px, py] = [bezier(a.x, b.x, t), a.y + (b.y - a.y) * s];
        if (Math.abs(px - x) < (b.x - a.x) / SAMPLES) offer(Math.abs(py - y), { layer, i, j });
      }
    });
    return best;
  }

  describe({ layer, i, j }) {
    const from = i < 0 ? this.texts.bias : layer === 0 ? NAMES[this.features[i]] : this.texts.unit.replace("{layer}", layer).replace("{unit}", i + 1);
    const to = layer === this.widths.length ? this.texts.output : this.texts.unit.replace("{layer}", layer + 1).replace("{unit}", j + 1);
    return { from, to, value: this.parameters?.[this.network.index(layer, i, j)] };
  }
}

const joined = (activations) => (new Set(activations).size > 1 ? activations.join(",") : (activations[0] ?? "tanh"));
const biasPlace = ({ x, y, side }) => ({ x: x - side / 2 - 4, y: y + side / 2 - 2 });
const bezier = (a, b, t) => a + (b - a) * (1.5 * t * (1 - t) * (1 - t) + 1.5 * t * t * (1 - t) + t ** 3); // controls at the middle

function ends(from, to) {
  return [{ x: from.x + from.side / 2, y: from.y }, { x: to.x - to.side / 2, y: to.y }];
}

function curve(path, from, to) {
  const [a, b] = ends(from, to);
  const middle = (a.x + b.x) / 2;
  path.moveTo(a.x, a.y);
  path.bezierCurveTo(middle, a.y, middle, b.y, b.x, b.y);
}

function over({ x, y, side }, attributes) {
  return el("button", { type: "button", style: `left:${x - side / 2}px;top:${y - side / 2}px;width:${side}px;height:${side}px`, ...attributes });
}

export function button(text, name, onclick, more = {}) {
  return el("button", { type: "button", class: "dl-net-button", "aria-label": name, title: name, onclick, ...more }, text);
}
