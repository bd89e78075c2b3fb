// A network from picture to answer; a click on a block freezes it, trains it, or draws it anew. Python: ui/freezer.py.
import { el, same, style, whenGone } from "./common.js";
import { unpack } from "./wire.js";

const MOVES = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity };
const STATES = ["f", "t", "n"];

export default async function (component) {
  await style("freezer.css");
  const host = component.parentElement;
  host.dlFreezer ??= new Freezer(host);
  host.dlFreezer.update(unpack(component.data), component);
  return whenGone(host, () => {});
}

class Freezer {
  constructor(host) {
    host.style.minHeight = "";
    this.at = 0; // the block that the keyboard is at
    this.n = 0;
    this.presets = el("div", { class: "dl-fz-presets", role: "group" });
    this.count = el("span", { class: "dl-fz-count", "aria-live": "polite" });
    this.meter = el("i", { class: "dl-fz-meter" }, el("b"));
    this.row = el("div", { class: "dl-fz-row", role: "group", onkeydown: (event) => this.key(event) });
    const counter = el("div", { class: "dl-fz-counter" }, this.meter, this.count);
    host.append(el("div", { class: "dl-fz" }, el("div", { class: "dl-fz-head" }, this.presets, counter), this.row));
  }

  update(data, component) {
    this.tell = (letters, n) => component.setTriggerValue("letters", { letters, n });
    if (this.data && data.n < this.n) return this.say(); // two clicks at once: the second may be lost
    if (this.data && same(data, this.data)) return;
    const other = !this.data || !same([data.blocks, data.texts], [this.data.blocks, this.data.texts]);
    [this.data, this.letters, this.n] = [data, data.letters, data.n];
    if (other) this.build();
    this.draw();
  }

  build() {
    const { blocks, head, pictures, classes, presets, texts } = this.data;
    this.chips = presets.map(({ title, letters }) => {
      const chip = el("button", { type: "button", onclick: () => this.set(letters) }, title);
      return { chip, letters };
    });
    this.presets.replaceChildren(...this.chips.map(({ chip }) => chip));
    this.presets.setAttribute("aria-label", texts.presets);
    this.cells = blocks.map((block, k) => {
      const word = el("span", { class: "dl-fz-word" });
      const icon = el("span", { class: "dl-fz-icon" });
      const button = el("button", { type: "button", class: "dl-fz-block", onclick: () => this.turn(k), onfocus: () => this.stand(k) },
        maps(block), icon, el("b", {}, block.name), el("small", {}, block.shape), word);
      return { button, word, icon };
    });
    const thumbs = pictures.map((src, k) => el("img", { src, alt: classes[k], title: classes[k] }));
    const answer = el("div", { class: "dl-fz-answer" }, ...classes.map((name) => el("span", {}, name)));
    const last = el("div", { class: "dl-fz-block dl-fz-n dl-fz-last", title: texts.head_help }, el("span", { class: "dl-fz-dense" }, ...classes.map(() => el("i"))),
      el("span", { class: "dl-fz-icon" }, dice()), el("b", {}, texts.head), el("small", {}, head.name), el("span", { class: "dl-fz-word" }, texts.n));
    const shown = thumbs.length ? [el("div", { class: "dl-fz-pictures" }, ...thumbs)] : [];
    this.row.replaceChildren(...shown, ...this.cells.flatMap(({ button }) => [wire(), button]), wire(), last, wire(), answer);
    this.row.setAttribute("aria-label", `${texts.alt} ${texts.keys}`);
  }

  draw() {
    const { blocks, head, texts } = this.data;
    let trained = head.params;
    const total = blocks.reduce((sum, block) => sum + block.params, head.params);
    this.cells.forEach(({ button, word, icon }, k) => {
      const state = this.letters[k];
      if (state !== "f") trained += blocks[k].params;
      for (const letter of STATES) button.classList.toggle(`dl-fz-${letter}`, letter === state);
      word.textContent = texts[state];
      icon.replaceChildren({ f: flake, t: turning, n: dice }[state]());
      const told = texts.block.replace("{n}", k + 1).replace("{state}", texts[state]).replace("{params}", grouped(blocks[k].params));
      button.setAttribute("aria-label", told);
      button.title = `${told} ${texts[`${state}_help`]}`;
      button.tabIndex = k === this.at ? 0 : -1;
    });
    for (const { chip, letters } of this.chips) chip.setAttribute("aria-pressed", String(letters === this.letters));
    const share = trained / total;
    this.count.textContent = texts.trained.replace("{n}", grouped(trained)).replace("{all}", grouped(total)).replace("{share}", percent(share));
    this.meter.firstChild.style.width = `${100 * share}%`;
  }

  turn(k) {
    const next = STATES[(STATES.indexOf(this.letters[k]) + 1) % STATES.length];
    this.set(this.letters.slice(0, k) + next + this.letters.slice(k + 1));
  }

  set(letters) {
    this.letters = letters;
    this.n += 1;
    this.draw();
    this.say();
  }

  /** Tell Python the letters; told twice they are the same. */
  say() {
    this.tell(this.letters, this.n);
  }

  stand(k) {
    this.at = k;
    this.cells.forEach(({ button }, i) => (button.tabIndex = i === k ? 0 : -1));
  }

  key(event) {
    const by = MOVES[event.key];
    if (by === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    this.cells[Math.min(this.cells.length - 1, Math.max(0, this.at + by))].button.focus();
  }
}

const grouped = (n) => n.toLocaleString("en-US");
const percent = (share) => (share < 0.1 ? `${(100 * share).toFixed(1)}%` : `${Math.round(100 * share)}%`);
const wire = () => el("i", { class: "dl-fz-wire", "aria-hidden": "true" });
const picture = (view, ...parts) => el("svg:svg", { viewBox: view, "aria-hidden": "true" }, ...parts);

/** A block's maps as a fan of squares: as many as its channels say (roughly), as large as they are. */
function maps({ side, channels }) {
  const edge = 10 + Math.min(side, 28), count = Math.min(7, Math.max(3, Math.round(channels / 10)));
  const first = 46 - (edge + 4 * (count - 1)) / 2;
  const squares = Array.from({ length: count }, (_, i) => el("svg:rect", { x: first + 4 * i, y: 24 - edge / 2 + 1.5 * (i - count / 2), width: edge, height: edge, rx: 2 }));
  return picture("0 0 92 50", ...squares);
}

const line = (x1, y1, x2, y2) => el("svg:path", { d: `M${x1} ${y1}L${x2} ${y2}` });
const flake = () => picture("-10 -10 20 20", ...[0, 60, 120].map((angle) => el("svg:g", { transform: `rotate(${angle})` }, line(0, -9, 0, 9), line(-3, -7, 0, -4.5), line(3, -7, 0, -4.5), line(-3, 7, 0, 4.5), line(3, 7, 0, 4.5))));
const turning = () => picture("-10 -10 20 20", el("svg:path", { d: "M7 -3A7.5 7.5 0 1 0 7.5 2" }), el("svg:path", { d: "M8.5 -8V-2.5H3" }));
const dice = () => picture("-10 -10 20 20", el("svg:rect", { x: -7.5, y: -7.5, width: 15, height: 15, rx: 3 }), ...[[-3.5, -3.5], [3.5, 3.5], [0, 0]].map(([x, y]) => el("svg:circle", { cx: x, cy: y, r: 1.2, class: "dl-fz-dot" })));
