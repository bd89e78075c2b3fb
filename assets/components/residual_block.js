// Draws both networks as rows of blocks, and the opened block of each: layers, link and sum with their numbers. Used by residual.js.
import { el, number } from "./common.js";

const [TILE, ARC, NARROW] = [18, 13, 620]; // px
const [BOX_HIGH, BOX_WIDE] = [40, 94];
const DECADES = 8; // a gradient so many decades below the largest is drawn as none
const NETWORKS = ["plain", "residual"];

export class BlockPicture {
  /** `on.pick(k)`: a block was chosen; `on.key(event)`. */
  constructor(on) {
    this.on = on;
    this.svg = el("svg:svg", { class: "dl-res-picture", role: "application", tabindex: 0, onkeydown: (event) => on.key(event) });
  }

  /** @param scene what ui/block_view.py packs, with {flow, frame, picked, design, room} as residual.js makes it */
  draw(scene) {
    this.narrow = scene.room < NARROW;
    this.left = this.narrow ? 0 : 86;
    const chain = this.chain(scene);
    const opened = this.narrow ? this.upright(scene, this.chainEnd + 18) : this.level(scene, this.chainEnd + 12);
    this.svg.setAttribute("viewBox", `0 0 ${scene.room} ${this.end}`);
    this.svg.setAttribute("width", scene.room);
    this.svg.setAttribute("height", this.end);
    this.svg.replaceChildren(...chain, ...opened);
  }

  // -- the rows of blocks --------------------------------------------------------------------------------------------------

  chain(scene) {
    const { kind_of, room, names, picked, texts, flows, frame } = scene;
    const count = kind_of.length;
    const [from, to] = [this.left, room - 2];
    const wide = (to - from) / count;
    const gap = wide > 9 ? 3 : wide > 4 ? 1 : 0;
    const x = (k) => from + k * wide;
    const gradients = (name) => flows?.[name]?.weights?.[frame];
    const most = Math.max(...NETWORKS.flatMap((name) => Array.from(gradients(name) ?? [])).filter(Number.isFinite), 0);
    const share = (value) => (value > 0 && most > 0 ? Math.max(0, 1 + Math.log10(value / most) / DECADES) : 0);
    let y = this.narrow ? 18 : 2;
    const parts = [];
    for (const name of NETWORKS) {
      if (name === "residual") y += ARC;
      const at = this.narrow ? { x: 0, y: y - (name === "residual" ? ARC : 0) - 5 } : { x: from - 10, y: y + 13.5, "text-anchor": "end" };
      parts.push(el("svg:text", { class: `dl-res-name dl-${name}`, ...at }, names[name]));
      for (let k = 0; k < count; k++) {
        const value = gradients(name)?.[k];
        const tile = el("svg:rect", {
          class: `dl-res-tile${k === picked ? " dl-on" : ""}`, x: x(k) + gap / 2, y, width: wide - gap, height: TILE, rx: Math.min(4, wide / 4),
          style: `fill: color-mix(in srgb, var(--dl-gradient) ${Math.round(100 * share(value))}%, var(--dl-res-empty))`, onclick: () => this.on.pick(k),
        }, el("svg:title", {}, texts.tile.replace("{n}", k + 1).replace("{value}", value === undefined ? "–" : number(value, 3))));
        if (name === "residual") parts.push(el("svg:path", { class: "dl-res-arc dl-residual", d: `M${x(k)} ${y + TILE / 2}C${x(k) + wide * 0.1} ${y - ARC * 1.25} ${x(k + 1) - wide * 0.1} ${y - ARC * 1.25} ${x(k + 1)} ${y + TILE / 2}` }));
        parts.push(tile);
      }
      if (name === "plain") this.funnelTop = y;
      y += TILE + (name === "plain" ? (this.narrow ? 20 : 5) : 0);
    }
    this.chainEnd = y;
    const middle = x(picked);
    parts.push(el("svg:rect", { class: "dl-res-picked", x: middle - 1, y: this.funnelTop - 2, width: wide + 2, height: y - this.funnelTop + 4, rx: 4 }));
    parts.push(el("svg:path", { class: "dl-res-funnel", d: `M${middle - 1} ${y + 3}L${this.narrow ? 0 : this.left} ${y + 16}M${middle + wide + 1} ${y + 3}L${room} ${y + 16}` }));
    return parts;
  }

  // -- the opened block, from left to right --------------------------------------------------------------------------------

  level(scene, top) {
    const { design, room, names, flow } = scene;
    const columns = 2 + design.layers.length + 1 + design.after.length;
    const unit = (room - this.left) / columns;
    const x = (k) => this.left + (k + 0.5) * unit;
    const box = Math.min(BOX_WIDE, unit - 16);
    const sum = 1 + design.layers.length;
    const rows = { plain: top + 34, residual: top + 122 };
    this.end = rows.residual + 48;
    const parts = [];
    for (const name of NETWORKS) {
      const y = rows[name];
      const numbers = flow[name];
      const carries = name === "residual";
      parts.push(el("svg:text", { class: `dl-res-name dl-${name}`, x: this.left - 10, y: y + 4, "text-anchor": "end" }, names[name]));
      const wire = (from, to, value, kind = "") => el("svg:line", { class: `dl-res-wire dl-${name} ${kind}`, x1: from, x2: to, y1: y, y2: y, "stroke-width": this.thick(value, numbers) });
      parts.push(wire(x(0) + 16, x(1) - box / 2, numbers.x), wire(x(sum - 1) + box / 2, carries ? x(sum) - 13 : x(sum), numbers.f), wire(carries ? x(sum) + 13 : x(sum), x(columns - 1) - 16, numbers.y));
      if (carries) parts.push(...this.link(scene, { from: x(0) + 26, to: x(sum), y, high: 44, unit, box }));
      design.layers.forEach((layer, k) => {
        if (k) parts.push(el("svg:line", { class: `dl-res-wire dl-${name}`, x1: x(k) + box / 2, x2: x(k + 1) - box / 2, y1: y, y2: y, "stroke-width": 1.5 }));
        parts.push(this.box(layer, x(k + 1), y, box));
      });
      design.after.forEach((layer, k) => parts.push(this.box(layer, x(sum + 1 + k), y, box)));
      parts.push(...this.end_node("X", x(0), y, numbers.x, numbers.gx, design.shape_in), ...this.end_node("Y", x(columns - 1), y, numbers.y, numbers.gradient, design.shape_out));
      const room_for_f = unit - box / 2 - 13 > 64; // between the last layer and the sum; else above the layer
      parts.push(...this.value(x(sum) - (room_for_f ? 13 + (unit - box / 2 - 13) / 2 : unit / 2), y - (room_for_f ? 9 : 25), "F(X)", numbers.f));
      if (carries) parts.push(...this.plus(x(sum), y), ...this.back((x(1) + x(sum - 1)) / 2, y + BOX_HIGH / 2 + 15, scene.texts.through_branch, numbers.through));
    }
    return parts;
  }

  /** The way past the branch: identity, or a projection in a box of its own. */
  link(scene, { from, to, y, high, unit, box }) {
    const { design, flow, texts } = scene;
    const up = y - high;
    const numbers = flow.residual;
    const arc = `M${from} ${y}V${up + 12}Q${from} ${up} ${from + 12} ${up}H${to - 12}Q${to} ${up} ${to} ${up + 12}V${y - 13}`;
    const middle = (from + to) / 2;
    const parts = [el("svg:path", { class: "dl-res-wire dl-residual dl-link", d: arc, "stroke-width": this.thick(numbers.carried ?? numbers.x, numbers) })];
    const label = design.link.box;
    if (label) parts.push(this.box(design.link, middle, up, box + 20, 30));
    else parts.push(...this.value(middle, up - 5, texts.link, numbers.x, "middle"));
    parts.push(...this.back(middle + (label ? unit * 1.3 : 0), up + 14, texts.through_link, numbers.link));
    return parts;
  }

  // -- the opened block, from top to bottom: on a narrow screen ------------------------------------------------------------

  upright(scene, top) {
    const { design, room, flow } = scene;
    const step = 48;
    const box = Math.min(96, room / 2 - 98);
    const sum = 1 + design.layers.length;
    const count = 2 + sum + design.after.length;
    const y = (k) => top + 24 + k * step;
    this.end = y(count - 1) + 34;
    const parts = [];
    NETWORKS.forEach((name, side) => {
      const x = side * (room / 2) + 76; // left of it there is room for a number
      const numbers = flow[name];
      const carries = name === "residual";
      const wire = (from, to, value) => el("svg:line", { class: `dl-res-wire dl-${name}`, x1: x, x2: x, y1: from, y2: to, "stroke-width": this.thick(value, numbers) });
      parts.push(wire(y(0), y(1), numbers.x), wire(y(1), y(sum), numbers.f), wire(y(sum), y(count - 1), numbers.y));
      if (carries) {
        const right = x + box / 2 + 12;
        parts.push(el("svg:path", { class: "dl-res-wire dl-residual dl-link", "stroke-width": this.thick(numbers.x, numbers), d: `M${x + 16} ${y(0)}H${right - 12}Q${right} ${y(0)} ${right} ${y(0) + 12}V${y(sum) - 12}Q${right} ${y(sum)} ${right - 12} ${y(sum)}H${x + 13}` }));
        const named = design.link.box ? design.link.name : "X";
        parts.push(el("svg:text", { class: "dl-res-small", x: right + 5, y: (y(0) + y(sum)) / 2 }, named));
        parts.push(...this.back(right + 4, (y(0) + y(sum)) / 2 + 17, "", numbers.link, "start"));
      }
      design.layers.forEach((layer, k) => parts.push(this.box(layer, x, y(k + 1), box, 34)));
      design.after.forEach((layer, k) => parts.push(this.box(layer, x, y(sum + 1 + k), box, 34)));
      for (const [letter, at, value, gradient] of [["X", y(0), numbers.x, numbers.gx], ["Y", y(count - 1), numbers.y, numbers.gradient]]) {
        parts.push(this.letter(letter, x, at), ...this.value(x - 20, at - 3, "", value, "end"), ...this.back(x - 20, at + 13, "", gradient, "end"));
      }
      if (carries) parts.push(...this.plus(x, y(sum)));
      parts.push(...this.value(x - 8, y(sum) - 9, "F(X)", numbers.f, "end"));
    });
    return parts;
  }

  // -- pieces --------------------------------------------------------------------------------------------------------------

  /** How thick a wire is: by the size of what it carries. */
  thick(value, { x, f, y }) {
    const most = Math.max(x ?? 0, f ?? 0, y ?? 0);
    return Number.isFinite(value) && most > 0 ? 1.25 + 4.75 * Math.min(1, value / most) : 1.5;
  }

  box({ name, detail, params, kind }, x, y, wide, high = BOX_HIGH) {
    const two = Boolean(detail);
    return el("svg:g", { class: `dl-res-box dl-res-${kind}` },
      el("svg:rect", { x: x - wide / 2, y: y - high / 2, width: wide, height: high, rx: 6 }),
      el("svg:text", { x, y: y + (two ? -3 : 4.5), "text-anchor": "middle" }, name),
      two ? el("svg:text", { class: "dl-res-small", x, y: y + 12, "text-anchor": "middle" }, detail) : undefined,
      params ? el("svg:title", {}, params) : undefined);
  }

  letter(text, x, y) {
    return el("svg:g", { class: "dl-res-letter" }, el("svg:circle", { cx: x, cy: y, r: 15 }), el("svg:text", { x, y: y + 5.5, "text-anchor": "middle" }, text));
  }

  end_node(text, x, y, value, gradient, shape) {
    return [this.letter(text, x, y), ...this.value(x, y - 21, "", value, "middle"), ...this.back(x, y + 29, "", gradient), el("svg:text", { class: "dl-res-small", x, y: y + 43, "text-anchor": "middle" }, shape)];
  }

  plus(x, y) {
    return [el("svg:g", { class: "dl-res-plus" }, el("svg:circle", { cx: x, cy: y, r: 13 }), el("svg:path", { d: `M${x - 7} ${y}H${x + 7}M${x} ${y - 7}V${y + 7}` }))];
  }

  /** The size of what goes forward. */
  value(x, y, name, value, anchor = "middle") {
    const told = Number.isFinite(value) ? number(value, 3) : "";
    return [el("svg:text", { class: "dl-res-value", x, y, "text-anchor": anchor }, name ? el("svg:tspan", { class: "dl-res-math" }, `${name} `) : undefined, told)];
  }

  /** The size of what comes back. */
  back(x, y, name, value, anchor = "middle") {
    if (!Number.isFinite(value)) return [];
    return [el("svg:text", { class: "dl-res-back", x, y, "text-anchor": anchor }, `← ${name ? `${name} ` : ""}${number(value, 2)}`)];
  }
}
