// A text, the answer that a network writes to it, and for each symbol where it looked: coloured letters and lines.
// Python side: ui/alignment_view.py.
import { el, number, same, style, whenGone } from "./common.js";
import { Bar } from "./player.js";
import { playhead } from "./playhead.js";
import { unpack } from "./wire.js";

const SEEN = 0.03; // a weight below it gets no line
const PACE = 0.7; // seconds for a symbol
const CANDIDATES = 4;

export default async function (component) {
  await Promise.all([style("live_plot.css"), style("alignment.css")]);
  const host = component.parentElement;
  host.dlAlignment ??= new Alignment(host);
  host.dlAlignment.update(unpack(component.data), component);
  return whenGone(host, () => host.dlAlignment.leave());
}

class Alignment {
  constructor(host) {
    this.text = el("div", { class: "dl-al-text", role: "img" });
    this.vector = el("div", { class: "dl-al-vector" });
    this.said = el("div", { class: "dl-al-said", role: "group" });
    this.lines = el("svg:svg", { class: "dl-al-lines", "aria-hidden": "true" });
    this.stage = el("div", { class: "dl-al-stage" }, this.lines, this.text, this.vector, this.said);
    this.likely = el("div", { class: "dl-al-likely" });
    this.words = el("p", { class: "dl-al-words", "aria-live": "polite" });
    this.switch = el("div", { class: "dl-al-switch", role: "group" });
    this.foot = el("div");
    this.root = el("div", { class: "dl-al" }, this.switch, this.stage, el("div", { class: "dl-al-below" }, this.likely, this.words), this.foot);
    host.append(this.root);
    this.member = { count: 1, draw: (k) => this.show(k) };
    this.observer = new ResizeObserver(() => this.show(this.chosen ?? 0));
    this.observer.observe(this.stage);
    this.text.addEventListener("pointerleave", () => this.from(undefined));
    this.said.addEventListener("pointerleave", () => this.show(this.head.frame));
    this.said.addEventListener("keydown", (event) => this.key(event));
  }

  get head() {
    return playhead(this.data.group);
  }

  leave() {
    this.observer.disconnect();
    this.head.leave(this.member);
    this.bar?.remove();
  }

  update(data, component) {
    this.tell = (k) => component.setTriggerValue("pick", k);
    if (this.data && same(data, this.data)) return;
    const first = !this.data;
    const stay = !first && same(data.letters, this.data.letters) && !this.head.atEnd; // the same text, asked again in training
    if (!first && this.data.group !== data.group) this.head.leave(this.member);
    this.data = data;
    this.kinds = ["looks", "needs"].filter((kind) => data[kind]);
    if (!this.kinds.includes(this.kind)) this.kind = this.kinds[0];
    this.build();
    this.member.count = data.said.length;
    this.member.seconds = PACE * data.said.length;
    if (this.bar?.group !== data.group) {
      this.bar?.remove();
      this.head.join(this.member);
      this.bar = new Bar(data.group, this.barTexts());
      this.foot.append(this.bar.root);
      if (first) this.head.autoplay();
    } else {
      if (!stay) this.head.pause();
      this.head.changed(!stay);
      this.bar.say(this.barTexts());
    }
    this.show(this.head.frame);
  }

  barTexts() {
    const { texts, said } = this.data;
    return { ...texts, at: (k) => texts.at.replace("{n}", k + 1).replace("{all}", said.length) };
  }

  build() {
    const { letters, unknown, said, symbols, shares, vector, texts } = this.data;
    this.letters = letters.map((letter, i) => el("span", {
      class: unknown[i] ? "dl-al-letter dl-al-unknown" : "dl-al-letter", title: unknown[i] ? texts.unknown : undefined, onpointerenter: () => this.from(i),
    }, letter === " " ? "\u00a0" : letter));
    this.text.replaceChildren(...this.letters);
    this.text.setAttribute("aria-label", letters.join(""));
    this.text.classList.toggle("dl-al-small", letters.length > 60);
    this.symbols = said.map((symbol, k) => el("button", {
      type: "button", class: symbols[symbol].length > 1 ? "dl-al-symbol dl-al-end" : "dl-al-symbol", onclick: () => this.pick(k),
      onpointerenter: () => !this.head.playing && this.show(k, true),
    }, el("b", {}, symbols[symbol]), el("i", { style: `--share: ${shares[k][symbol]}` }), el("small", {}, percent(shares[k][symbol]))));
    this.said.replaceChildren(...this.symbols);
    this.said.setAttribute("aria-label", texts.answer);
    this.switch.replaceChildren(...(this.kinds.length > 1 ? this.kinds : []).map((kind) => el("button", {
      type: "button", "aria-pressed": String(kind === this.kind), title: texts[`${kind}_help`], onclick: () => this.choose(kind),
    }, texts[kind])));
    this.switch.setAttribute("aria-label", texts.shown);
    this.vector.hidden = !vector;
    const most = vector ? Math.max(...vector.map(Math.abs)) : 1;
    const cells = [...(vector ?? [])].map((value) => el("i", { class: value < 0 ? "dl-al-minus" : "", style: `--share: ${Math.abs(value) / most}`, title: number(value) }));
    this.vector.replaceChildren(el("div", { class: "dl-al-cells" }, ...cells), el("small", {}, vector ? texts.vector : ""));
  }

  choose(kind) {
    this.kind = kind;
    [...this.switch.children].forEach((button, i) => button.setAttribute("aria-pressed", String(this.kinds[i] === kind)));
    this.show(this.chosen);
  }

  /** Go to symbol `k`, and tell the page that it was chosen. */
  pick(k) {
    this.head.step(k - this.head.frame);
    this.tell(k);
  }

  key(event) {
    const by = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity }[event.key];
    if (by === undefined) return;
    event.preventDefault();
    this.head.step(by);
    this.symbols[this.head.frame].focus();
  }

  /** Light up what belongs to symbol `k`; without `passing` it is where the answer has come to. */
  show(k, passing = false) {
    if (!this.symbols?.length) return;
    k = Math.min(k, this.symbols.length - 1);
    this.chosen = k;
    const row = this.data[this.kind]?.[k] ?? [];
    this.root.dataset.kind = this.kind ?? "none";
    this.letters.forEach((node, i) => node.style.setProperty("--share", Math.min(1, Math.max(0, row[i] ?? 0)).toFixed(3)));
    this.symbols.forEach((node, i) => {
      node.classList.toggle("dl-al-chosen", i === k);
      if (!passing) node.classList.toggle("dl-al-later", i > k);
      node.tabIndex = i === k ? 0 : -1;
      node.style.removeProperty("--lit");
    });
    this.connect(row, k);
    this.candidates(k);
    this.say(row, k);
  }

  /** The other way round: which symbols looked at letter `i`? */
  from(i) {
    if (this.head.playing) return;
    if (i === undefined) return this.show(this.head.frame);
    const rows = this.data[this.kind] ?? [];
    this.letters.forEach((node, j) => node.style.setProperty("--share", j === i ? "1" : "0"));
    this.symbols.forEach((node, k) => {
      node.classList.remove("dl-al-chosen");
      node.style.setProperty("--lit", Math.min(1, Math.max(0, rows[k]?.[i] ?? 0)).toFixed(3));
    });
    this.draw(this.symbols.map((node, k) => [this.letters[i], node, rows[k]?.[i] ?? 0]));
  }

  connect(row, k) {
    this.draw(this.data.vector ? [] : [...row].map((weight, i) => [this.letters[i], this.symbols[k], weight]));
  }

  /** Lines [letter, symbol, weight], or, through the one vector, a funnel. */
  draw(lines) {
    const frame = this.stage.getBoundingClientRect();
    const place = (node) => { const b = node.getBoundingClientRect(); return { x: b.left + b.width / 2 - frame.left, top: b.top - frame.top, bottom: b.bottom - frame.top, left: b.left - frame.left, right: b.right - frame.left }; };
    const paths = lines.filter(([, , weight]) => weight > SEEN).map(([letter, symbol, weight]) => {
      const [from, to] = [place(letter), place(symbol)];
      const middle = (from.bottom + to.top) / 2;
      const d = `M${from.x} ${from.bottom}C${from.x} ${middle} ${to.x} ${middle} ${to.x} ${to.top}`;
      return el("svg:path", { d, "stroke-width": (1 + 4 * weight).toFixed(2), "stroke-opacity": Math.min(1, 0.2 + weight).toFixed(2) });
    });
    if (this.data.vector && this.letters.length) {
      const [text, cells, symbol] = [place(this.text), place(this.vector.firstChild), place(this.symbols[this.chosen ?? 0])];
      paths.push(el("svg:polygon", { points: `${text.left},${text.bottom} ${text.right},${text.bottom} ${cells.right},${cells.top} ${cells.left},${cells.top}` }));
      paths.push(el("svg:polygon", { points: `${cells.left},${cells.bottom} ${cells.right},${cells.bottom} ${symbol.right},${symbol.top} ${symbol.left},${symbol.top}` }));
    }
    this.lines.replaceChildren(...paths);
  }

  candidates(k) {
    const { shares, symbols, texts } = this.data;
    const order = [...shares[k].keys()].sort((a, b) => shares[k][b] - shares[k][a]).slice(0, CANDIDATES);
    this.likely.replaceChildren(el("h4", {}, texts.likely.replace("{n}", k + 1)), ...order.map((s) =>
      el("div", {}, el("b", {}, symbols[s]), el("i", { style: `--share: ${shares[k][s]}` }), el("small", {}, percent(shares[k][s])))));
  }

  say(row, k) {
    const { letters, said, symbols, texts } = this.data;
    const most = [...row.keys()].sort((a, b) => row[b] - row[a]).slice(0, 3).filter((i) => row[i] > SEEN);
    const list = most.map((i) => texts.one.replace("{letter}", letters[i]).replace("{share}", percent(row[i]))).join(texts.comma);
    const template = list ? texts[`${this.kind}_say`] : texts.nothing;
    this.words.textContent = template.replace("{symbol}", symbols[said[k]]).replace("{list}", list);
  }
}

const percent = (share) => `${share > 0.995 && share < 1 ? ">99" : Math.round(100 * share)}%`;
