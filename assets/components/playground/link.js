// What a link says when the pointer is over it, and the little form in which its weight is changed or frozen.
import { el, number, parseNumber } from "../common.js";

export class Link {
  /** @param tell weight(layer, i, j, value), freeze(layer, i, j, on), left() when it closes. */
  constructor(texts, tell) {
    [this.texts, this.tell] = [texts, tell];
    this.name = el("span", { class: "dl-link-name" });
    this.value = el("b", {});
    this.entry = el("input", { type: "text", inputmode: "decimal", "aria-label": texts.weight });
    this.range = el("input", { type: "range", min: -3, max: 3, step: 0.05, "aria-label": texts.weight, oninput: () => this.set(Number(this.range.value)) });
    this.hold = el("input", { type: "checkbox", onchange: () => tell.freeze(...this.place, this.hold.checked) });
    this.form = el("span", { class: "dl-link-form", hidden: true }, this.entry, this.range,
      el("label", { title: texts.hold_help }, this.hold, ` ${texts.hold}`));
    this.hint = el("span", { class: "dl-link-hint" });
    this.root = el("div", { class: "dl-link", hidden: true }, this.name, this.value, this.form, this.hint);
    this.entry.addEventListener("change", () => {
      const value = parseNumber(this.entry.value);
      if (Number.isFinite(value)) this.set(value);
    });
    this.root.addEventListener("keydown", (event) => {
      if (event.key === "Enter" || event.key === "Escape") this.hide();
    });
  }

  get place() {
    return [this.link.layer, this.link.i, this.link.j];
  }

  set(value) {
    this.entry.value = number(value, 4);
    this.tell.weight(...this.place, value);
  }

  /** The link under the pointer, or none. An open form stays. */
  hover(link, about, event, root, steerable) {
    if (!this.form.hidden) return;
    if (!link) return this.hide();
    this.describe(link, about, steerable);
    this.at(event, root);
  }

  open(link, about, event, root, frozen, steerable) {
    if (!steerable) return;
    this.describe(link, about, false);
    this.form.hidden = false;
    this.value.hidden = true;
    this.entry.value = number(about.value, 4);
    this.range.value = about.value;
    this.hold.checked = frozen;
    this.at(event, root);
    this.entry.focus();
    this.entry.select();
    const outside = (other) => {
      if (other.composedPath().includes(this.root)) return;
      this.hide();
      removeEventListener("pointerdown", outside, true);
    };
    removeEventListener("pointerdown", this.outside, true);
    this.outside = outside;
    addEventListener("pointerdown", outside, true);
  }

  describe(link, { from, to, value }, steerable) {
    this.link = link;
    this.name.textContent = `${from} → ${to}`;
    this.value.textContent = number(value, 3);
    this.value.hidden = false;
    this.hint.textContent = steerable ? (link.i < 0 ? this.texts.bias_hint : this.texts.click_hint) : "";
    this.root.hidden = false;
  }

  at(event, root) {
    const box = root.getBoundingClientRect();
    const left = Math.min(event.clientX - box.left + 12, box.width - this.root.offsetWidth - 8);
    this.root.style.left = `${Math.max(4, left)}px`;
    this.root.style.top = `${event.clientY - box.top + 14}px`;
  }

  hide() {
    const was = !this.root.hidden;
    this.form.hidden = true;
    this.root.hidden = true;
    if (was) this.tell.left();
    removeEventListener("pointerdown", this.outside, true);
  }
}
