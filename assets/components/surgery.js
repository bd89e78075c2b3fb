// A trained network as a row of blocks: each can be taken out, and under each stands what is left without it alone.
// Python side: ui/surgery_lab.py.
import { el, same, style, whenGone } from "./common.js";
import { unpack } from "./wire.js";

const MOVES = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity };

export default async function (component) {
  await style("surgery.css");
  const host = component.parentElement;
  host.dlSurgery ??= new Surgery(host);
  host.dlSurgery.update(unpack(component.data), component);
  return whenGone(host, () => {});
}

class Surgery {
  constructor(host) {
    host.style.minHeight = "";
    this.past = []; // what was out before each click, for Undo
    this.at = 0; // the block that the keyboard is at
    this.undo = el("button", { type: "button", onclick: () => this.past.length && this.set(this.past.pop(), false) });
    this.back = el("button", { type: "button", onclick: () => this.out.size && this.set([]) });
    this.count = el("span", { class: "dl-su-count", "aria-live": "polite" });
    this.row = el("div", { class: "dl-su-row", role: "group", onkeydown: (event) => this.key(event) });
    this.legend = el("p", { class: "dl-su-legend" });
    const head = el("div", { class: "dl-su-head" }, this.undo, this.back, this.count);
    this.root = el("div", { class: "dl-su" }, head, this.row, this.legend);
    host.append(this.root);
  }

  update(data, component) {
    this.tell = (removed, n) => component.setTriggerValue("removed", { removed, n });
    if (this.data?.network === data.network && data.n < this.n) this.say(); // two clicks at once: the second may be lost
    if (this.data && same(data, this.data)) return;
    const other = !this.data || this.data.network !== data.network;
    if (other) [this.past, this.n] = [[], data.n];
    if (other || data.n >= this.n) [this.out, this.n] = [new Set(data.removed), data.n]; // else its answer is still to come
    this.data = data;
    if (other || this.cells.length !== data.blocks.length) this.build();
    this.draw();
  }

  build() {
    this.cells = this.data.blocks.map((block, k) => {
      const bar = (name) => el("i", { class: `dl-su-bar dl-su-${name}` });
      const cell = {
        link: el("svg:path", { class: "dl-su-link", d: "M0 40 C8 40 6 8 22 8 S36 40 44 40" }),
        wire: el("svg:path", { class: "dl-su-wire", d: "M0 40H44" }),
        box: el("svg:rect", { class: "dl-su-box", x: 10, y: block.halves ? 30 : 27, width: 24, height: block.halves ? 20 : 26, rx: 4 }),
        own: bar("own"), twin: bar("twin"), value: el("small", { class: "dl-su-value" }), name: el("b", {}, `${k + 1}${block.halves ? " ½" : ""}`),
      };
      const picture = el("svg:svg", { viewBox: "0 0 44 56", preserveAspectRatio: "none", "aria-hidden": "true" }, cell.wire, cell.link, cell.box);
      const bars = el("span", { class: "dl-su-bars", "aria-hidden": "true" }, cell.own, cell.twin, cell.value);
      cell.button = el("button", { type: "button", class: "dl-su-block", onclick: () => this.toggle(k), onfocus: () => this.stand(k) }, cell.name, picture, bars);
      return cell;
    });
    this.row.replaceChildren(...this.cells.map((cell) => cell.button));
  }

  draw() {
    const { blocks, whole, texts, residual, twin } = this.data;
    this.root.classList.toggle("dl-su-plain", !residual);
    this.root.classList.toggle("dl-su-twins", twin);
    this.row.style.setProperty("--whole", whole);
    this.row.style.setProperty("--count", blocks.length);
    this.row.setAttribute("aria-label", `${texts.alt} ${texts.keys}`);
    this.cells.forEach((cell, k) => {
      const { share, other, able } = blocks[k];
      const out = this.out.has(k);
      cell.button.classList.toggle("dl-su-out", out);
      cell.button.setAttribute("aria-pressed", String(out));
      cell.button.setAttribute("aria-disabled", String(!able));
      const told = (able ? texts.block : texts.stays).replace("{n}", k + 1).replace("{share}", percent(share)).replace("{other}", percent(other));
      const twinTold = able && twin && other !== null ? ` ${texts.other.replace("{share}", percent(other))}` : "";
      cell.button.setAttribute("aria-label", `${told}${twinTold}`);
      cell.button.title = `${told}${twinTold}`;
      cell.own.style.setProperty("--share", share ?? 0);
      cell.twin.style.setProperty("--share", other ?? 0);
      cell.value.textContent = share === null ? "–" : Math.round(100 * share);
      cell.value.style.setProperty("--share", Math.max(share ?? 0, twin ? (other ?? 0) : 0));
      cell.button.tabIndex = k === this.at ? 0 : -1;
    });
    this.undo.textContent = texts.undo;
    this.back.textContent = texts.back;
    this.undo.disabled = !this.past.length;
    this.back.disabled = !this.out.size;
    this.count.textContent = texts.out.replace("{k}", this.out.size).replace("{n}", blocks.length);
    this.legend.replaceChildren(el("i", { class: "dl-su-key dl-su-own" }), texts.own, ...(twin ? [el("i", { class: "dl-su-key dl-su-twin" }), texts.twin] : []), el("i", { class: "dl-su-key dl-su-level" }), texts.whole);
  }

  toggle(k) {
    if (!this.data.blocks[k].able) return;
    const out = new Set(this.out);
    if (!out.delete(k)) out.add(k);
    this.set([...out]);
  }

  set(out, keep = true) {
    if (keep) this.past.push([...this.out]);
    this.out = new Set(out);
    this.n += 1;
    this.draw();
    this.say();
  }

  /** Tell Python what is out; told twice it is the same. */
  say() {
    this.tell([...this.out].sort((a, b) => a - b), this.n);
  }

  stand(k) {
    this.at = k;
    this.cells.forEach((cell, i) => (cell.button.tabIndex = i === k ? 0 : -1));
  }

  key(event) {
    const by = MOVES[event.key];
    if (by === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    this.cells[Math.min(this.cells.length - 1, Math.max(0, this.at + by))].button.focus();
  }
}

const percent = (share) => (share === null || share === undefined ? "–" : `${(100 * share).toFixed(share > 0.995 && share < 1 ? 1 : 0)}%`);
