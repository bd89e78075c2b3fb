// The gates of one unit in one step: every weight times what it meets, the sum, and the gate as a bar that can be held. Used by recurrent_cell.js.
import { el, number, parseNumber } from "./common.js";
import { low } from "./cell_belt.js";
import { GATES, SIGNED } from "./cell_math.js";

const LARGEST = 100; // dlcore.cell_story
const NUDGE = 0.1;
export const SHORT = { wi: "weight_ih_l0", wh: "weight_hh_l0", bi: "bias_ih_l0", bh: "bias_hh_l0" };

export class CellTable {
  /** `on.edit(place, value)`: a weight was typed, place "wi.0.2"; `on.hold(gate, value, done)`: a bar was moved; `on.free(gate)`. */
  constructor(on) {
    this.on = on;
    this.body = el("tbody");
    this.head = el("thead");
    this.table = el("table", { class: "dl-cell-table" }, this.head, this.body);
    this.root = el("div", { class: "dl-cell-scroll" }, this.table);
  }

  /** @param scene as recurrent_cell.js makes it */
  draw(scene) {
    const { cell, params, letters, fixed, texts } = scene;
    const form = JSON.stringify([cell, params.weight_hh_l0[0].length, letters, fixed, texts]);
    if (form !== this.form) this.build(scene);
    this.form = form;
    this.fillHead(scene);
    for (const row of this.rows) this.fillRow(row, scene);
  }

  build({ cell, params, letters, fixed, texts }) {
    const H = params.weight_hh_l0[0].length;
    const [x, h] = [[...letters], Array.from({ length: H }, (_v, j) => `h${low(j + 1)}`)];
    const G = GATES[cell].length * H;
    const group = (name, shape, span, side = "") => el("th", { colspan: span, scope: "colgroup", class: side }, name, el("small", {}, shape));
    this.meets = [...x, ...h].map((name) => el("th", { scope: "col", class: "dl-meets" }, el("span", {}, name), el("b")));
    this.head.replaceChildren(
      el("tr", {}, el("td", { colspan: 3 }), group(sub("W", "ih", " x"), `(${G}×${letters.length})(${letters.length})`, letters.length), group(sub("b", "ih"), `(${G})`, 1), el("td"), group(sub("W", "hh", " h"), `(${G}×${H})(${H})`, H), group(sub("b", "hh"), `(${G})`, 1), el("td")),
      el("tr", {}, el("td", { colspan: 3 }), ...this.meets.slice(0, letters.length), el("td", { class: "dl-meets" }), el("td"), ...this.meets.slice(letters.length), el("td", { class: "dl-meets" }), el("td")));
    this.rows = GATES[cell].map((gate, k) => this.buildRow(gate, k, { cell, H, letters, fixed, texts }));
    this.body.replaceChildren(...this.rows.map((row) => row.root));
  }

  buildRow(gate, k, { cell, H, letters, fixed, texts }) {
    const row = { gate, k };
    const name = cell === "rnn" ? "h" : gate;
    row.name = el("span", { class: "dl-cell-name" });
    row.bar = el("div", {
      class: `dl-gauge${SIGNED.has(gate) ? " dl-signed" : ""}`, role: cell === "rnn" ? "img" : "slider", tabindex: cell === "rnn" || fixed ? -1 : 0, "aria-label": texts.gates[name],
      title: cell === "rnn" ? "" : texts.drag, onkeydown: (event) => this.key(event, row), ondblclick: () => this.on.free(gate),
    }, (row.others = el("span", { class: "dl-gauge-others" })), (row.fill = el("span", { class: "dl-gauge-fill" })), (row.mark = el("span", { class: "dl-gauge-mark" })));
    if (cell !== "rnn" && !fixed) for (const type of ["down", "move", "up", "cancel"]) row.bar.addEventListener(`pointer${type}`, (event) => this.drag(type, event, row));
    row.value = el("output", { class: "dl-cell-value" });
    row.free = el("button", { type: "button", class: "dl-cell-free", onclick: () => this.on.free(gate) }, "×");
    row.inputs = [];
    const input = (kind, column) => {
      const cellInput = el("input", {
        type: "text", inputmode: "text", autocomplete: "off", spellcheck: "false", readonly: fixed, maxlength: 8, "data-kind": kind, "data-column": column,
        onfocus: (event) => event.target.select(), onchange: (event) => this.take(event.target, row), onkeydown: (event) => this.typed(event, row),
      });
      row.inputs.push(cellInput);
      return el("td", { class: kind.startsWith("w") ? "" : "dl-bias" }, cellInput);
    };
    row.times = el("td", { class: "dl-cell-times" });
    row.sum = el("td", { class: "dl-cell-sum" });
    row.root = el("tr", { "data-gate": gate }, el("th", { scope: "row" }, row.name, el("small", {}, texts.gates[name])), el("td", { class: "dl-cell-gauge" }, row.bar), el("td", {}, row.value, row.free),
      ...Array.from(letters, (_l, j) => input("wi", j)), input("bi", 0), row.times, ...Array.from({ length: H }, (_v, j) => input("wh", j)), input("bh", 0), row.sum);
    return row;
  }

  fillHead({ v, t, word, letters, unit }) {
    const values = [...v.x, ...v.h];
    this.meets.forEach((head, j) => {
      head.lastChild.textContent = `${number(Number(values[j].toFixed(3)), 2)}`;
      head.classList.toggle("dl-silent", values[j] === 0);
      head.classList.toggle(`dl-letter-${letters[j]}`, j < letters.length && letters[j] === word[t]);
    });
    this.unit = unit;
  }

  fillRow(row, { cell, v, t, unit, params, holds, texts }) {
    const { gate, k } = row;
    const H = v.h.length;
    const [index, signed] = [k * H + unit, SIGNED.has(gate)];
    const [value, sum] = [v[gate][unit], v[`a_${gate}`][unit]];
    const held = holds[gate] && holds[gate][0] <= t;
    row.name.replaceChildren(cell === "rnn" ? "h" : gate, low(unit + 1));
    row.times.replaceChildren(cell === "gru" && gate === "n" ? `+ r·` : "+");
    row.times.title = cell === "gru" && gate === "n" ? `r = ${number(v.r[unit], 3)}` : "";
    const squashed = `${signed ? "tanh" : "σ"}(${number(Number(sum.toFixed(3)), 3)})`;
    row.sum.textContent = held ? texts.held.replace("{n}", holds[gate][0] + 1) : squashed;
    row.value.textContent = number(Number(value.toFixed(4)), value > 0.9 && value < 1 ? 4 : 3);
    const place = (share) => (signed ? (share + 1) / 2 : share) * 100;
    const [from, to] = signed ? [Math.min(50, place(value)), Math.max(50, place(value))] : [0, place(value)];
    row.fill.style.left = `${from}%`;
    row.fill.style.width = `${to - from}%`;
    row.mark.style.left = `${place(value)}%`;
    row.others.replaceChildren(...v[gate].flatMap((other, u) => (u === unit ? [] : [el("i", { style: `left:${place(other)}%` })])));
    row.root.classList.toggle("dl-held", Boolean(held));
    row.free.disabled = !held;
    row.free.title = texts.free.replace("{gate}", gate);
    row.free.setAttribute("aria-label", row.free.title);
    const spoken = held ? texts.held.replace("{n}", holds[gate][0] + 1) : "";
    for (const [name, said] of Object.entries({ valuemin: signed ? -1 : 0, valuemax: 1, valuenow: value, valuetext: `${number(value, 3)} ${spoken}` })) row.bar.setAttribute(`aria-${name}`, said);
    const meets = { wi: v.x, wh: v.h, bi: [1], bh: [1] };
    for (const input of row.inputs) {
      const { kind, column } = input.dataset;
      const weight = kind.startsWith("w") ? params[SHORT[kind]][index][column] : params[SHORT[kind]][index];
      const place = `${kind}.${index}.${column}`;
      const fresh = input.dataset.place !== place || input.dataset.was !== String(weight);
      Object.assign(input.dataset, { place, was: String(weight) });
      if (fresh || document.activeElement !== input) input.value = number(weight, 4);
      input.setAttribute("aria-label", `${gate}, ${kind.startsWith("w") ? `${kind === "wi" ? "x" : "h"} ${Number(column) + 1}` : `b ${kind === "bi" ? "ih" : "hh"}`}`);
      input.style.background = `color-mix(in srgb, var(${weight < 0 ? "--dl-data" : "--dl-model"}) ${Math.round(60 * Math.min(1, Math.abs(weight) / 8) ** 0.6)}%, transparent)`;
      input.classList.toggle("dl-silent", meets[kind][column] === 0 || weight === 0);
      input.classList.toggle("dl-typed", Boolean(this.isTyped?.(place)));
    }
  }

  // -- hands ---------------------------------------------------------------------------------------------------------------

  drag(type, event, row) {
    if (type === "down" && event.button === 0) {
      event.preventDefault();
      row.bar.setPointerCapture(event.pointerId);
      row.bar.focus({ preventScroll: true });
      this.dragging = row;
    } else if (this.dragging !== row || type === "down") return;
    const box = row.bar.getBoundingClientRect();
    const share = Math.min(1, Math.max(0, (event.clientX - box.left) / box.width));
    const done = type === "up" || type === "cancel";
    if (done) this.dragging = undefined;
    if (type !== "cancel") this.moved(row, share, done);
  }

  moved({ gate }, share, done) {
    const value = SIGNED.has(gate) ? 2 * share - 1 : share;
    this.on.hold(gate, Number(value.toFixed(2)), done);
  }

  key(event, row) {
    if (event.key === "Escape" || event.key === "Delete" || event.key === "Backspace") this.on.free(row.gate);
    else {
      const by = { ArrowRight: 0.01, ArrowUp: 0.01, ArrowLeft: -0.01, ArrowDown: -0.01, PageUp: 0.1, PageDown: -0.1, Home: -Infinity, End: Infinity }[event.key];
      if (!by || row.bar.tabIndex < 0 || event.ctrlKey || event.metaKey || event.altKey) return;
      const least = SIGNED.has(row.gate) ? -1 : 0;
      const now = Number(row.bar.getAttribute("aria-valuenow"));
      this.on.hold(row.gate, Number(Math.min(1, Math.max(least, now + by)).toFixed(2)), true);
    }
    event.preventDefault();
  }

  take(input) {
    const value = parseNumber(input.value);
    if (Number.isFinite(value) && Math.abs(value) <= LARGEST) this.on.edit(input.dataset.place, value);
    else input.value = number(Number(input.dataset.was), 4);
  }

  typed(event, row) {
    const by = { ArrowUp: NUDGE, ArrowDown: -NUDGE }[event.key];
    if (event.key === "Enter") {
      event.target.blur();
      event.target.focus();
    } else if (by && !event.target.readOnly) {
      const value = Number((Number(event.target.dataset.was) + by * (event.shiftKey ? 10 : 1)).toFixed(4));
      if (Math.abs(value) <= LARGEST) this.on.edit(event.target.dataset.place, value);
      event.target.value = number(value, 4);
      event.target.select();
    } else if (event.key === "Escape") event.target.value = number(Number(event.target.dataset.was), 4);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
}

/** W with what it is by: W_ih. */
function sub(name, below, after = "") {
  const node = document.createDocumentFragment();
  node.append(el("i", {}, name), el("sub", {}, below), after);
  return node;
}
