// A trained network, layer by layer, for one image; a layer opens its maps, a unit what it is made of. Python: ui/anatomy.py.
import { UnitView } from "./anatomy_unit.js";
import { el, number, style, whenGone } from "./common.js";
import { cells, colouring, corner, frame, photo, picture, ramp, sized, tiling } from "./maps.js";
import { unpack } from "./wire.js";

const MOST = 65535; // a value's whole number at the layer's largest
const STRIP = 4; // maps of a layer that its card shows
const MOVES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export default async function (component) {
  await Promise.all([style("live_plot.css"), style("anatomy.css")]);
  const host = component.parentElement;
  host.dlAnatomy ??= new Anatomy(host);
  host.dlAnatomy.update(unpack(component.data), component);
  return whenGone(host, () => host.dlAnatomy.leave());
}

class Anatomy {
  constructor(host) {
    this.row = el("div", { class: "dl-an-row", role: "group", tabindex: "-1" });
    this.title = el("h4", { "aria-live": "polite" });
    this.about = el("p");
    this.maps = el("canvas", { tabindex: "0", role: "img" });
    this.input = el("canvas", { role: "img" });
    this.read = el("div", { class: "dl-an-read", "aria-live": "polite" });
    this.legend = el("div", { class: "dl-an-legend" });
    this.soft = el("div", { class: "dl-an-soft", tabindex: "0" });
    this.unitView = new UnitView();
    const side = el("div", { class: "dl-an-side" }, this.input, this.read, this.legend);
    this.large = el("div", { class: "dl-an-large" }, el("div", { class: "dl-an-maps" }, this.maps, this.soft), side);
    this.left = el("div", {}, this.title, this.about, this.large);
    this.table = el("details");
    this.root = el("div", { class: "dl-an" }, this.row, el("div", { class: "dl-an-stage" }, this.left, this.unitView.root), this.table);
    host.append(this.root);
    this.maps.addEventListener("pointermove", (event) => this.point(this.under(event)));
    this.maps.addEventListener("pointerleave", () => this.point(undefined));
    this.maps.addEventListener("click", (event) => this.choose(this.under(event)?.unit));
    this.maps.addEventListener("keydown", (event) => this.key(event));
    this.maps.addEventListener("blur", () => this.point(undefined));
    this.observer = new ResizeObserver(() => this.paint());
    this.observer.observe(this.left);
  }

  leave() {
    this.observer.disconnect();
    this.unitView.leave();
  }

  update(data, component) {
    this.data = data;
    this.send = (layer, unit) => component.setTriggerValue("pick", { layer, unit });
    this.scales = { sequential: ramp(data.scales.sequential), diverging: ramp(data.scales.diverging) };
    this.root.dataset.network = data.network;
    if (!data.layers.some((layer) => layer.name === this.open)) this.open = data.first;
    const { unit } = data;
    if (unit && (unit.layer !== this.said?.layer || unit.index !== this.said?.unit)) this.open = unit.layer;
    this.said = unit ? { layer: unit.layer, unit: unit.index } : undefined;
    this.chosen = this.said;
    this.row.setAttribute("aria-label", data.texts.alt);
    this.cards();
    this.tabulate();
    this.show();
    this.unitView.show(data, this.scales);
  }

  get layer() {
    return this.data.layers.find((layer) => layer.name === this.open);
  }

  /** One card a layer; what had the focus keeps it. */
  cards() {
    const { layers, texts, image } = this.data;
    const names = layers.map((layer) => layer.name).join();
    if (names !== this.names) {
      this.names = names;
      this.buttons = layers.map((layer) => el("button", { type: "button", class: "dl-an-layer", "data-layer": layer.name, onclick: () => this.openLayer(layer.name) }));
      const parts = this.buttons.flatMap((button, i) => (i ? [el("span", { class: "dl-an-arrow", "aria-hidden": "true" }, "→"), button] : [button]));
      this.row.replaceChildren(...parts);
    }
    layers.forEach((layer, i) => {
      const shape = layer.shape.join(" × ");
      const params = layer.params ? texts.weights.replace("{n}", layer.params.toLocaleString("en")) : texts.none;
      const strip = el("span", { class: "dl-an-strip" }, i ? this.strip(layer) : scaled(photo(image), 72));
      this.buttons[i].replaceChildren(el("b", {}, layer.label), strip, el("small", {}, layer.what), el("small", {}, shape), el("small", {}, params));
      this.buttons[i].setAttribute("aria-label", `${layer.label}: ${layer.what}, ${shape}, ${params}`);
    });
    this.press();
  }

  press() {
    this.buttons.forEach((button) => button.setAttribute("aria-pressed", String(button.dataset.layer === this.open)));
  }

  strip(layer) {
    const { colour } = colouring(layer, MOST, this.scales);
    const canvas = el("canvas");
    if (layer.shape.length < 3) {
      const columns = layer.values.length > 12 ? Math.ceil(Math.sqrt(layer.values.length)) : 1;
      return scaled(cells(layer.values, columns, colour), columns === 1 ? 14 : 72, 74);
    }
    const shown = layer.values.slice(0, STRIP);
    const plan = tiling(shown.length, layer.shape[2], layer.shape[1], 78, { tall: 76, gap: 2 });
    const context = sized(canvas, plan.width, plan.height);
    shown.forEach((map, i) => context.drawImage(picture(map, colour), ...corner(plan, i), plan.tile, plan.side));
    return canvas;
  }

  openLayer(name) {
    this.open = name;
    this.press();
    this.show();
  }

  /** The open layer: its title, its maps, its legend. */
  show() {
    const { layer, data } = this;
    const { texts } = data;
    this.title.textContent = `${layer.label} · ${layer.what} · ${layer.shape.join(" × ")}`;
    this.about.textContent = `${layer.about} ${this.opens ? texts.pick : ""}`;
    this.maps.setAttribute("aria-label", texts.maps.replace("{layer}", layer.label));
    this.input.setAttribute("aria-label", texts.input);
    this.colouring = colouring(layer, MOST, this.scales);
    this.scale();
    this.soft.hidden = layer.name !== data.layers.at(-1).name;
    if (!this.soft.hidden) this.softmax();
    this.at = undefined;
    this.paint();
  }

  get opens() {
    return !["scale", "flatten"].includes(this.layer.kind);
  }

  /** From the smallest to the largest value, in the colours of the maps. */
  scale() {
    const { table, least, most, signed } = this.colouring;
    const bar = el("canvas", { width: 256, height: 1, style: "width: 100%; height: 10px; border-radius: 3px" });
    const context = bar.getContext("2d");
    table.forEach(([r, g, b], i) => { context.fillStyle = `rgb(${r},${g},${b})`; context.fillRect(i, 0, 1, 1); });
    const { texts } = this.data;
    const { low, high } = this.layer;
    this.legend.replaceChildren(bar, el("div", {}, el("span", {}, number(least)), signed ? el("span", {}, "0") : null, el("span", {}, number(most))),
      el("span", {}, texts.range.replace("{low}", number(low)).replace("{high}", number(high))));
  }

  paint() {
    if (!this.data) return;
    const { layer, maps } = this;
    const { colour } = this.colouring;
    const flat = layer.shape.length < 3;
    const room = Math.max(120, maps.parentElement.clientWidth - 2);
    const [, height, width] = flat ? [0, 1, 1] : layer.shape;
    this.plan = tiling(layer.values.length, width, height, room, { most: flat ? 26 : 150, tall: flat ? 330 : 400, gap: flat ? 2 : 4 });
    const context = sized(maps, this.plan.width, this.plan.height);
    layer.values.forEach((map, i) => {
      const image = flat ? cells([map], 1, colour) : picture(map, colour);
      context.drawImage(image, ...corner(this.plan, i), this.plan.tile, this.plan.side);
    });
    if (this.chosen?.layer === layer.name && this.chosen.unit < layer.values.length) frame(context, corner(this.plan, this.chosen.unit), this.plan.tile, this.plan.side, 2.5);
    if (this.at) {
      const [x, y] = corner(this.plan, this.at.unit);
      const [dx, dy] = [this.plan.tile / width, this.plan.side / height];
      frame(context, [x + this.at.column * dx, y + this.at.row * dy], dx, dy, 1.5);
    }
    this.look();
  }

  /** The input, with what the value under the pointer sees; its number in words. */
  look() {
    const { layer, data, at } = this;
    const { texts, image } = data;
    const [tall, wide] = [image[0].length, image[0][0].length];
    const side = 116;
    const context = sized(this.input, side, Math.round((side * tall) / wide));
    context.drawImage(photo(image), 0, 0, side, Math.round((side * tall) / wide));
    if (!at) return this.read.replaceChildren(texts.hover);
    const seen = this.field(at);
    const scale = side / wide;
    frame(context, [seen[1] * scale, seen[0] * scale], (seen[3] - seen[1]) * scale, (seen[2] - seen[0]) * scale, 2.5);
    const flat = layer.shape.length < 3;
    const value = this.colouring.value(flat ? layer.values[at.unit] : layer.values[at.unit][at.row][at.column]);
    const name = flat && layer.name === data.layers.at(-1).name ? data.classes[at.unit] : at.unit;
    const words = (flat ? texts.neuron : texts.pixel).replace("{unit}", name).replace("{row}", at.row + 1).replace("{column}", at.column + 1);
    this.read.replaceChildren(el("b", {}, number(value, 4)), el("br"), words, el("br"), texts.sees.replace("{h}", seen[2] - seen[0]).replace("{w}", seen[3] - seen[1]));
  }

  /** Top, left, bottom, right in the input. */
  field({ row, column }) {
    const { image } = this.data;
    const sides = [image[0].length, image[0][0].length];
    const spans = [row, column].map((place, axis) => {
      const [size, jump, start] = this.layer.field[axis];
      const first = start + place * jump;
      return [Math.max(0, first), Math.min(sides[axis], first + size)];
    });
    return [spans[0][0], spans[1][0], spans[0][1], spans[1][1]];
  }

  under(event) {
    const { plan, layer } = this;
    const [, height, width] = layer.shape.length < 3 ? [0, 1, 1] : layer.shape;
    const [column, row] = [Math.floor(event.offsetX / (plan.tile + plan.gap)), Math.floor(event.offsetY / (plan.side + plan.gap))];
    const unit = row * plan.columns + column;
    if (unit < 0 || unit >= layer.values.length || column >= plan.columns) return undefined;
    const [x, y] = corner(plan, unit);
    const inside = (at, size, count) => Math.min(count - 1, Math.max(0, Math.floor((at / size) * count)));
    return { unit, row: inside(event.offsetY - y, plan.side, height), column: inside(event.offsetX - x, plan.tile, width) };
  }

  point(at) {
    this.at = at;
    this.paint();
  }

  choose(unit) {
    if (unit === undefined || !this.opens) return;
    this.chosen = { layer: this.layer.name, unit };
    this.unitView.wait(this.data.texts.wait);
    this.send(this.layer.name, unit);
    this.paint();
  }

  /** Arrows move over the values, from map to map with Shift; Enter opens the unit. */
  key(event) {
    const { layer, plan } = this;
    if ((event.key === "Enter" || event.key === " ") && this.at) this.choose(this.at.unit);
    else if (event.key in MOVES) {
      const [dx, dy] = MOVES[event.key];
      const flat = layer.shape.length < 3;
      const at = this.at ?? { unit: 0, row: 0, column: 0 };
      const clamp = (value, count) => Math.min(count - 1, Math.max(0, value));
      if (!this.at) this.point(at);
      else if (event.shiftKey || flat) this.point({ ...at, unit: clamp(at.unit + dx + dy * plan.columns, layer.values.length) });
      else this.point({ ...at, row: clamp(at.row + dy, layer.shape[1]), column: clamp(at.column + dx, layer.shape[2]) });
    } else return;
    event.preventDefault();
  }

  /** Logits → exp → sum → share. */
  softmax() {
    const { texts, classes, softmax } = this.data;
    const best = softmax.shares.indexOf(Math.max(...softmax.shares));
    const rows = classes.map((name, k) => el("tr", k === best ? { class: "dl-most" } : {}, el("td", {}, name), el("td", {}, number(softmax.logits[k], 4)), el("td", {}, number(softmax.exp[k], 4)),
      el("td", {}, `${(100 * softmax.shares[k]).toFixed(2)}%`), el("td", { style: "text-align: left; width: 90px" }, el("span", { class: "dl-an-bar", style: `width: ${80 * softmax.shares[k]}px` }))));
    const sum = el("tr", {}, el("td", {}, texts.sum), el("td"), el("td", {}, number(softmax.sum, 4)), el("td", {}, "100%"), el("td"));
    const k = () => el("sub", {}, "k");
    const head = el("tr", {}, el("th", {}, texts.class), el("th", {}, "z", k()), el("th", {}, "e", el("sup", {}, "z", k())), el("th", {}, "p", k(), " = e", el("sup", {}, "z", k()), " / Σ"), el("th"));
    this.soft.replaceChildren(el("p", {}, texts.softmax), el("table", {}, el("thead", {}, head), el("tbody", {}, ...rows, sum)));
    this.soft.setAttribute("aria-label", texts.softmax);
  }

  tabulate() {
    const { texts, layers } = this.data;
    const head = [texts.layer, texts.kind, texts.shape, texts.params, texts.least, texts.most].map((text) => el("th", {}, text));
    const rows = layers.map((l) => el("tr", {}, ...[l.label, l.what, l.shape.join(" × "), l.params.toLocaleString("en"), number(l.low), number(l.high)].map((text) => el("td", {}, text))));
    this.table.replaceChildren(el("summary", {}, texts.table), el("table", {}, el("thead", {}, el("tr", {}, ...head)), el("tbody", {}, ...rows)));
  }
}

/** A small picture as large as fits into `wide` × `tall`. */
export function scaled(image, wide, tall = wide) {
  const factor = Math.min(wide / image.width, tall / image.height);
  const canvas = el("canvas");
  const context = sized(canvas, Math.round(image.width * factor), Math.round(image.height * factor));
  context.drawImage(image, 0, 0, Math.round(image.width * factor), Math.round(image.height * factor));
  return canvas;
}
