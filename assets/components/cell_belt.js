// The memory of one unit as a conveyor belt through time: what each letter put on it, what every gate lets pass. Used by recurrent_cell.js.
import { el, number } from "./common.js";
import { KEEPING } from "./cell_math.js";

const [LETTER, DROP, LOAD, OUT, GRADIENT, STRIP, ROW] = [28, 32, 92, 42, 30, 8, 14]; // heights, px
const [VALVE, FALL, FLAT] = [0.24, 0.3, 0.56]; // shares of a column: the keeping gate's end, where a letter begins to fall and has landed
const LEVELS = [0.1, 0.2, 0.3, 0.5, 0.75, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 12];
const LOW = [..."₀₁₂₃₄₅₆₇₈₉"];
export const low = (n) => [...String(n)].map((digit) => LOW[digit]).join("");

export class Belt {
  /** `on.step(t)`: a step was clicked; `on.peek(t)`: the pointer is over it (undefined: it has left); `on.unit(u, t)`; `on.key(event)`. */
  constructor(on) {
    this.on = on;
    this.id = `dl-belt-${Math.random().toString(36).slice(2)}`;
    this.svg = el("svg:svg", { class: "dl-belt", role: "application", tabindex: 0, onkeydown: (event) => on.key(event), onpointerleave: () => on.peek() });
  }

  /** @param scene {cell, word, steps, shares, gradient, unit, t, texts, belts, room} as recurrent_cell.js makes it */
  draw(scene) {
    this.measure(scene);
    const sheet = [this.column(scene), this.units(scene), this.letters(scene), this.stage(scene), this.outputs(scene), this.gradient(scene), this.areas(scene)];
    this.svg.setAttribute("viewBox", `0 0 ${scene.room} ${this.y.end}`);
    this.svg.setAttribute("height", this.y.end);
    this.svg.setAttribute("width", scene.room);
    this.svg.replaceChildren(...sheet.flat());
  }

  measure({ room, word, shares, belts }) {
    const narrow = room < 560;
    const [left, right] = narrow ? [22, 8] : [104, 8];
    this.narrow = narrow;
    this.left = left;
    this.wide = (room - left - right) / word.length;
    this.x = (t, share = 0) => left + (t + share) * this.wide;
    const sums = (sign) => Math.max(...shares.map((row) => row.reduce((sum, share) => sum + Math.max(0, sign * share), 0)));
    const level = (most) => (most < 0.005 ? 0 : LEVELS.find((value) => value >= most - 1e-3) ?? most);
    const [above, below] = [level(sums(1)), level(sums(-1))];
    this.above = Math.max(above, below ? 0 : 0.1);
    this.below = below;
    this.scale = LOAD / (this.above + this.below);
    const units = 6;
    const letters = units + belts[0].length * ROW + 10;
    const top = letters + LETTER + DROP;
    const zero = top + this.above * this.scale;
    const out = zero + STRIP + this.below * this.scale;
    this.y = { units, letters, top, zero, bottom: out, out: out + OUT, gradient: out + OUT + 14, end: out + OUT + 14 + GRADIENT + 16 };
  }

  label(y, text, kind = "") {
    if (this.narrow) return [];
    return [el("svg:text", { class: `dl-belt-label ${kind}`, x: this.left - 12, y, "text-anchor": "end" }, text)];
  }

  /** The chosen step. */
  column({ t }) {
    return el("svg:rect", { class: "dl-belt-now", x: this.x(t), y: 0, width: this.wide, height: this.y.end, rx: 6 });
  }

  /** All units at a glance: a row each, coloured by what they hold. */
  units({ belts, unit, texts }) {
    const most = Math.max(0.05, ...belts.flat().map(Math.abs));
    const rows = belts[0].map((_value, u) => {
      const y = this.y.units + u * ROW;
      const cells = belts.map((values, k) => el("svg:rect", {
        class: "dl-belt-cell", x: this.x(k) + 1, y: y + 1, width: this.wide - 2, height: ROW - 2, rx: 2,
        style: `fill: color-mix(in srgb, var(${values[u] < 0 ? "--dl-data" : "--dl-model"}) ${Math.round((Math.abs(values[u]) / most) * 88)}%, var(--dl-belt-empty))`,
      }));
      const frame = u === unit ? [el("svg:rect", { class: "dl-belt-picked", x: this.x(0) - 1, y: y - 0.5, width: this.wide * belts.length + 2, height: ROW + 1, rx: 3 })] : [];
      const name = el("svg:text", { class: `dl-belt-unit${u === unit ? " dl-on" : ""}`, x: this.left - 12, y: y + 11, "text-anchor": "end" }, this.narrow ? `${u + 1}` : `${texts.unit} ${u + 1}`);
      return [...cells, ...frame, name];
    });
    return rows.flat();
  }

  letters({ word, t, texts }) {
    const y = this.y.letters;
    const tiles = [...word].map((letter, k) => {
      const middle = this.x(k, FLAT - 0.1);
      return el("svg:g", { class: `dl-belt-letter dl-letter-${letter}${k === t ? " dl-on" : ""}` },
        el("svg:rect", { x: middle - 14, y, width: 28, height: LETTER, rx: 6 }), el("svg:text", { x: middle, y: y + 19.5, "text-anchor": "middle" }, letter));
    });
    return [...this.label(y + 19, `${texts.input} x`), ...tiles];
  }

  /** The belt itself, faint as far as the film has not come, with its gates. */
  stage(scene) {
    const { frame, word, cell, name } = scene;
    const [from, to] = [this.x(0) - 6, this.x(word.length)];
    const load = el("svg:g", {}, ...this.lost(scene), ...this.bands(scene));
    const clip = el("svg:clipPath", { id: `${this.id}-clip` }, el("svg:rect", { class: "dl-belt-clip", x: 0, y: 0, height: this.y.end, width: this.x(frame + 1) }));
    const rollers = Array.from({ length: Math.floor((to - from) / 13) }, (_v, k) => el("svg:circle", { cx: from + 8 + k * 13, cy: this.y.zero + STRIP / 2, r: 2 }));
    const strip = el("svg:g", { class: cell === "rnn" ? "dl-belt-strip dl-none" : "dl-belt-strip" }, el("svg:rect", { x: from, y: this.y.zero, width: to - from, height: STRIP, rx: STRIP / 2 }), ...rollers);
    return [
      el("svg:defs", {}, clip), ...this.scales(name), el("svg:g", { class: "dl-belt-later", "aria-hidden": "true" }, load.cloneNode(true)),
      el("svg:g", { "clip-path": `url(#${this.id}-clip)` }, load), strip, ...this.gates(scene),
    ];
  }

  /** The axis: what a full belt would be. */
  scales(name) {
    const at = (value) => (value >= 0 ? this.y.zero - value * this.scale : this.y.zero + STRIP - value * this.scale);
    const ticks = [this.above, ...(this.below ? [-this.below] : [])];
    return [
      ...this.label((at(this.above) + at(0)) / 2 + 4, name, "dl-strong"), ...this.label(this.y.zero + STRIP, "0", "dl-tick"),
      ...ticks.flatMap((value) => [...this.label(at(value) + 4, number(value, 3), "dl-tick"), el("svg:line", { class: "dl-belt-tick", x1: this.x(0) - 6, x2: this.x(0) - 1, y1: at(value), y2: at(value) })]),
    ];
  }

  /** Heights of the load, from the belt outwards: oldest next to the belt. [[from, to], …] by the step that brought it. */
  stack(row) {
    const reached = { 1: 0, "-1": 0 };
    return row.map((share) => {
      const sign = share < 0 ? -1 : 1;
      const from = reached[sign];
      reached[sign] += Math.abs(share);
      return { sign, from, to: reached[sign] };
    });
  }

  at(sign, height) {
    return sign > 0 ? this.y.zero - height * this.scale : this.y.zero + STRIP + height * this.scale;
  }

  bands({ shares, word, cell }) {
    const stacks = shares.map((row) => this.stack(row));
    return shares.map((_row, s) => {
      const { sign } = stacks[s][s];
      const [inner, outer] = [[], []];
      const put = (x, from, to) => {
        inner.push([x, this.at(sign, from)]);
        outer.push([x, this.at(sign, to)]);
      };
      const first = stacks[s][s];
      put(this.x(s, FALL), first.from, first.from);
      put(this.x(s, FLAT), first.from, first.to);
      for (let t = s + 1; t < shares.length; t++) {
        put(this.x(t), stacks[t - 1][s].from, stacks[t - 1][s].to);
        put(this.x(t, VALVE), stacks[t][s].from, stacks[t][s].to);
      }
      const end = stacks.at(-1)[s];
      put(this.x(shares.length), end.from, end.to);
      const kind = cell === "rnn" ? "dl-mixed" : `dl-letter-${word[s]}`;
      const band = el("svg:path", { class: `dl-belt-band ${kind}`, d: `${curve(outer, "M")}${curve(inner.reverse(), "L")}Z` });
      return el("svg:g", { class: kind }, band, ...this.initials(stacks, s, sign, word[s], cell));
    });
  }

  /** The letter, written on its band where there is room: where it lands, and at the end. */
  initials(stacks, s, sign, letter, cell) {
    if (cell === "rnn") return [];
    const places = [...new Set([s, stacks.length - 1])].filter((t) => (stacks[t][s].to - stacks[t][s].from) * this.scale >= 12);
    return places.map((t) => el("svg:text", { class: "dl-belt-initial", x: this.x(t, 0.8), y: (this.at(sign, stacks[t][s].from) + this.at(sign, stacks[t][s].to)) / 2 + 4.5, "text-anchor": "middle" }, letter));
  }

  /** What the keeping gate does not let pass. */
  lost({ shares, cell }) {
    if (cell === "rnn") return []; // it may be written again
    const height = (row, sign) => row.reduce((sum, share) => sum + Math.max(0, sign * share), 0);
    return shares.slice(1).flatMap((row, k) => [1, -1].map((sign) => {
      const [before, after] = [height(shares[k], sign), height(row.slice(0, -1), sign)];
      if ((before - after) * this.scale < 0.7) return undefined;
      const points = [[this.x(k + 1), this.at(sign, before)], [this.x(k + 1, VALVE), this.at(sign, after)]];
      return el("svg:path", { class: "dl-belt-lost", d: `${curve(points, "M")}V${this.at(sign, before)}Z` });
    }).filter(Boolean));
  }

  /** Gates where they stand: what is dark is shut. The letter falls through one, the belt runs under one, h comes out of one. */
  gates(scene) {
    const { steps, unit, cell, holds, word } = scene;
    return steps.flatMap((v, t) => {
      const held = (gate) => (holds[gate] && holds[gate][0] <= t ? " dl-held" : "");
      const [added, h] = [Math.abs(scene.shares[t][t]), Math.abs(v.h_new[unit])];
      const middle = this.x(t, FLAT - 0.1);
      const { sign, to } = this.stack(scene.shares[t])[t];
      const fall = el("svg:line", { class: `dl-belt-fall dl-letter-${word[t]}`, x1: middle, x2: middle, y1: this.y.letters + LETTER, y2: this.at(sign, to), "stroke-width": cell === "rnn" ? 1.5 : width(added) });
      const leave = el("svg:line", { class: "dl-belt-leave", x1: this.x(t, 0.8), x2: this.x(t, 0.8), y1: this.y.bottom + 2, y2: this.y.bottom + OUT - 20, "stroke-width": width(h) });
      const parts = [fall, leave];
      if (cell !== "rnn") {
        const [keep, entry] = [v[KEEPING[cell]][unit], cell === "lstm" ? v.i[unit] : 1 - v.z[unit]];
        if (t) parts.push(this.valve(this.x(t, VALVE / 2), keep, held(KEEPING[cell])));
        parts.push(this.jaws(middle, this.y.letters + LETTER + DROP / 2, entry, held(cell === "lstm" ? "i" : "z")));
        if (cell === "lstm") parts.push(this.jaws(this.x(t, 0.8), this.y.bottom + 12, v.o[unit], held("o")));
      }
      return el("svg:g", { class: t > scene.frame ? "dl-belt-gates dl-later" : t === scene.t ? "dl-belt-gates dl-on" : "dl-belt-gates" }, ...parts);
    });
  }

  /** A gate over the belt: it comes down from above (and up from below, where something hangs there). */
  valve(x, open, held) {
    const post = (from, shut, to) => [el("svg:line", { class: "dl-gate-rail", x1: x, x2: x, y1: from, y2: to }), el("svg:line", { class: "dl-gate-shut", x1: x, x2: x, y1: from, y2: shut })];
    const upper = post(this.y.top - 8, this.y.zero - (this.above * this.scale + 8) * open, this.y.zero);
    const under = this.below ? post(this.y.bottom + 8, this.y.zero + STRIP + (this.below * this.scale + 8) * open, this.y.zero + STRIP) : [];
    return el("svg:g", { class: `dl-gate${held}` }, ...upper, ...under);
  }

  /** A gate across something that falls: two jaws. */
  jaws(x, y, open, held) {
    const half = Math.min(15, this.wide * 0.2);
    const line = (kind, x1, x2) => el("svg:line", { class: kind, x1, x2, y1: y, y2: y });
    return el("svg:g", { class: `dl-gate${held}` }, line("dl-gate-rail", x - half, x + half), line("dl-gate-shut", x - half, x - half * open), line("dl-gate-shut", x + half * open, x + half));
  }

  outputs({ steps, unit, texts, t, frame }) {
    const y = this.y.bottom + OUT - 6;
    const values = steps.map((v, k) => el("svg:text", { class: `dl-belt-number${k === t ? " dl-on" : ""}${k > frame ? " dl-later" : ""}`, x: this.x(k, 0.8), y, "text-anchor": "middle" }, short(v.h_new[unit], this.narrow)));
    return [...this.label(y, `${texts.output} h${low(unit + 1)}`), ...values];
  }

  /** The gradient of the last output by the belt after each step. */
  gradient({ gradient, t, texts }) {
    const sizes = gradient.total.map((row) => Math.hypot(...row));
    const most = Math.max(1e-300, ...sizes);
    const base = this.y.gradient + GRADIENT;
    const bars = sizes.flatMap((size, k) => {
      const height = Math.max(size > 0 ? 0.75 : 0, (size / most) * (GRADIENT - 2));
      const half = Math.min(11, this.wide * 0.28);
      return [
        el("svg:rect", { class: "dl-belt-gradient", x: this.x(k, 0.8) - half, width: 2 * half, y: base - height, height, rx: Math.min(2, height / 2) }),
        el("svg:text", { class: `dl-belt-number dl-gradient${k === t ? " dl-on" : ""}`, x: this.x(k, 0.8), y: base + 13, "text-anchor": "middle" }, short(size, this.narrow)),
      ];
    });
    const line = el("svg:line", { class: "dl-belt-base", x1: this.x(0), x2: this.x(sizes.length), y1: base + 0.5, y2: base + 0.5 });
    return [...this.label(base - 18, texts.gradient, "dl-green"), ...this.label(base - 3, texts.gradient_back, "dl-green dl-small"), line, ...bars];
  }

  /** What is pointed at: a column is a step, a row of the overview a unit. */
  areas({ word, belts, steps }) {
    const columns = steps.map((_v, t) => el("svg:rect", { class: "dl-belt-area", x: this.x(t), y: this.y.letters - 6, width: this.wide, height: this.y.end - this.y.letters + 6, onclick: () => this.on.step(t), onpointerenter: (event) => event.pointerType === "mouse" && this.on.peek(t) }));
    const cells = belts.flatMap((row, t) => row.map((_value, u) => el("svg:rect", { class: "dl-belt-area", x: t ? this.x(t) : 0, y: this.y.units + u * ROW, width: t ? this.wide : this.wide + this.left, height: ROW, onclick: () => this.on.unit(u, t) },
      el("svg:title", {}, `${word[t]}: ${number(row[u], 3)}`))));
    return [...columns, ...cells];
  }
}

/** Points joined by curves that are level at each of them. */
function curve(points, begin) {
  return points.map(([x, y], k) => {
    if (!k) return `${begin}${x} ${y}`;
    const [before, was] = points[k - 1];
    const middle = (before + x) / 2;
    return was === y ? `L${x} ${y}` : `C${middle} ${was} ${middle} ${y} ${x} ${y}`;
  }).join("");
}

const width = (size) => 1 + 6 * Math.min(1, size);

/** A number that fits a column. */
const short = (value, narrow) => {
  const size = Math.abs(value);
  if (narrow && size >= 0.1) return number(Number(value.toFixed(1)), 2);
  if (size !== 0 && size < 1e-3) return number(value, 1).replace(/^(−?)1 × /, "$1").replace(" × ", "·");
  return number(Number(value.toFixed(size < 0.1 && !narrow ? 3 : 2)), 3);
};
