// The weights of a filter as cells to type into: arrow keys go from cell to cell, Enter or leaving a cell takes its number.
import { el, number, parseNumber } from "./common.js";

const MOVES = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
const LARGEST = 1000; // dlcore.filters

/** A weight as people write it, short enough for a cell: 1/9 rather than 0.111111. */
export function weightText(value) {
  const below = Math.round(1 / Math.abs(value));
  const one = below > 1 && below < 5000 && Math.abs(1 / Math.abs(value) - below) < 1e-5 * below;
  const exact = number(value, 6);
  if (exact.replace("−", "").length <= 5) return exact;
  return one ? `${value < 0 ? "−" : ""}1/${below}` : number(value, Math.abs(value) < 0.1 ? 2 : 3);
}

/** "0.5", "−2", "1/9"; NaN if it is no number. */
function read(text) {
  const [above, below, ...rest] = text.split("/");
  if (rest.length) return NaN;
  return below === undefined ? parseNumber(above) : parseNumber(above) / parseNumber(below);
}

export class KernelCells {
  /** `changed(i, j, value)` is told of what was typed. */
  constructor(changed) {
    this.changed = changed;
    this.root = el("div", { class: "dl-kernel", role: "grid" });
  }

  /** @param weights rows of numbers, or null for a window without weights. */
  show(size, weights, { cell, texts, fixed }) {
    if (this.size !== size || this.fixed !== fixed) this.build(size, fixed);
    this.root.style.setProperty("--dl-cell", `${cell}px`);
    this.root.setAttribute("aria-label", texts.weights);
    const largest = Math.max(1e-9, ...(weights ?? []).flatMap((row) => Array.from(row, Math.abs)));
    this.inputs.forEach((input, k) => {
      const [i, j] = [Math.floor(k / size), k % size];
      const value = weights?.[i][j];
      const name = texts.weight.replace("{i}", i + 1).replace("{j}", j + 1);
      input.setAttribute("aria-label", name);
      input.title = weights ? `${name}: ${number(value, 6)}` : "";
      const share = weights ? Math.round((Math.abs(value) / largest) * 66) : 0;
      input.style.background = `color-mix(in srgb, var(${value < 0 ? "--dl-data" : "--dl-model"}) ${share}%, var(--st-background-color))`;
      if (document.activeElement !== input || input.dataset.was !== String(value)) input.value = weights ? weightText(value) : "";
      input.dataset.was = String(value);
      input.classList.toggle("dl-long", input.value.length > 4);
      input.disabled = !weights;
      input.removeAttribute("aria-invalid");
    });
  }

  build(size, fixed) {
    Object.assign(this, { size, fixed });
    this.inputs = Array.from({ length: size * size }, (_, k) => el("input", {
      type: "text", inputmode: "text", autocomplete: "off", spellcheck: "false", readonly: fixed, tabindex: k ? -1 : 0, maxlength: 12, role: "gridcell",
      onfocus: (event) => this.enter(event.target), onchange: (event) => this.take(event.target, k), onkeydown: (event) => this.key(event, k),
    }));
    this.root.style.setProperty("--dl-size", size);
    this.root.replaceChildren(...this.inputs);
  }

  enter(input) {
    this.inputs.forEach((other) => (other.tabIndex = other === input ? 0 : -1));
    input.select();
  }

  take(input, k) {
    const value = read(input.value);
    const right = Number.isFinite(value) && Math.abs(value) <= LARGEST;
    if (!right) {
      input.setAttribute("aria-invalid", "true");
      input.value = weightText(Number(input.dataset.was));
      return;
    }
    input.dataset.was = String(value);
    this.changed(Math.floor(k / this.size), k % this.size, value);
  }

  key(event, k) {
    if (event.key === "Enter") {
      event.target.blur();
      event.target.focus();
      return event.preventDefault();
    }
    const move = MOVES[event.key];
    const { selectionStart: from, selectionEnd: to, value } = event.target;
    const whole = to - from === value.length;
    if (!move || (event.key === "ArrowLeft" && !whole && to > 0) || (event.key === "ArrowRight" && !whole && from < value.length)) return undefined; // within the text
    const [i, j] = [Math.floor(k / this.size) + move[0], (k % this.size) + move[1]];
    if (i < 0 || j < 0 || i >= this.size || j >= this.size) return undefined;
    this.inputs[i * this.size + j].focus();
    return event.preventDefault();
  }

  /** The cell of weight (i, j) stands out: the one that is multiplied now. */
  light(k) {
    this.inputs.forEach((input, n) => input.classList.toggle("dl-lit", n === k));
  }
}
