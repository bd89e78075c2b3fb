// The sum of one output number, written out term by term. Used by convolution.js.
import { el, number } from "./common.js";
import { weightText } from "./kernel_cells.js";
import { channelsOf, subtotal, terms, winner } from "./window_sum.js";

export class WindowSum {
  /** `light(k)` is told which weight's term is pointed at; −1: none. */
  constructor(light) {
    this.light = light;
    this.terms = el("div", { class: "dl-conv-terms" });
    this.total = el("div", { class: "dl-math dl-conv-total", "aria-live": "polite" });
    this.root = el("div", { class: "dl-conv-sum" }, this.terms, this.total);
  }

  /** @param quiet whether a screen reader should be spared (a film plays, a pointer passes). */
  show(data, channel, [row, column], quiet) {
    const { output, geometry, operation } = data;
    this.total.setAttribute("aria-live", quiet ? "off" : "polite");
    this.terms.style.setProperty("--dl-size", geometry.size);
    this.terms.classList.toggle("dl-small", geometry.size > 4);
    this.terms.classList.toggle("dl-tiny", geometry.size > 5);
    this.root.classList.toggle("dl-empty", !output);
    if (!output) return [this.terms, this.total].forEach((node) => node.replaceChildren());
    const found = terms(data, channel, row, column);
    const best = operation === "max" ? winner(found) : undefined;
    this.terms.replaceChildren(...found.map((term) => this.term(data, term, term === best)));
    return this.total.replaceChildren(...this.result(data, channel, row, column));
  }

  result(data, channel, row, column) {
    const { output, geometry, kernel, operation, texts, input, bias } = data;
    const value = output[kernel ? 0 : channel][row][column];
    const answer = el("b", { class: "model", "data-value": value }, number(value, 5));
    const where = el("small", {}, texts.place.replace("{row}", row + 1).replace("{column}", column + 1));
    if (operation === "max") return ["max = ", answer, where];
    if (operation === "average") return [`Σ x / ${geometry.size ** 2} = `, answer, where];
    const parts = channelsOf(data, channel).flatMap((c) => {
      const name = el("small", {}, input.length > 1 ? `${texts.channels[c]} ` : "");
      const part = number(subtotal(data, c, row, column), 5);
      return [c ? " + " : "", el("span", { class: input.length > 1 && c === channel ? "dl-conv-this" : "" }, name, c ? bracket(part) : part)];
    });
    return ["Σ x·w + b = ", ...parts, " + ", bracket(weightText(bias)), " = ", answer, where];
  }

  term({ operation, geometry }, { value, weight, padded, i, j }, best) {
    const shown = padded && operation === "max" ? "–" : number(value, 3);
    const content = weight === undefined ? [el("b", {}, shown)] : [el("b", {}, shown), "·", el("i", {}, bracket(weightText(weight)))];
    const silent = weight === 0 || (weight !== undefined && value === 0);
    return el("span", {
      class: `dl-conv-term${best ? " dl-best" : ""}${silent ? " dl-silent" : ""}`, "data-x": value, "data-w": weight,
      onpointerenter: () => this.light(i * geometry.size + j), onpointerleave: () => this.light(-1),
    }, ...content);
  }
}

const bracket = (text) => (text.startsWith("−") ? `(${text})` : text);
