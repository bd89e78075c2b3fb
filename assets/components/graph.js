// A computation graph that is computed before one's eyes: forward, then backward. Python side: ui/graph_view.py.
import { el, number, style, whenGone } from "./common.js";
import { Played } from "./played.js";
import { plainTable } from "./table.js";
import { unpack } from "./wire.js";

const [COLUMN, ROW, WIDTH, HEIGHT, PAD] = [138, 72, 86, 58, 8]; // px
const SMALLEST = 0.72; // scale; a wider graph scrolls
const SECONDS = 0.85; // for each frame at speed 1

export default async function (component) {
  await Promise.all([style("live_plot.css"), style("graph.css")]);
  const host = component.parentElement;
  host.dlGraph ??= new Graph(host);
  host.dlGraph.update(unpack(component.data), component);
  return whenGone(host, () => host.dlGraph.leave());
}

class Graph extends Played {
  constructor(host) {
    super();
    host.style.minHeight = ""; // the graph's own height from now on
    this.svg = el("svg:svg", { role: "group" });
    this.box = el("div", { class: "dl-graph-box" }, this.svg);
    this.phase = el("div", { class: "dl-graph-phase" });
    this.text = el("div", { class: "dl-math", "aria-live": "polite" });
    this.now = el("div", { class: "dl-graph-now" }, this.phase, this.text);
    this.controls = el("div", { class: "dl-graph-controls" });
    this.opened = el("section", { class: "dl-opened", hidden: true, tabindex: "-1" });
    this.table = el("details", { ontoggle: () => this.fillTable() }, el("summary"), el("div"));
    this.root = el("div", { class: "dl-graph" }, this.box, this.controls, this.now, this.opened, this.table);
    host.append(this.root);
    this.watch(this.box, () => this.scale());
  }

  get count() {
    return this.data.frames.length;
  }

  get seconds() {
    return this.count * SECONDS;
  }

  update(data, component) {
    const before = this.data;
    const wasAtEnd = this.head?.atEnd;
    this.data = data;
    this.pick = (name) => component.setTriggerValue("pick", name);
    const shape = JSON.stringify([data.nodes.map((n) => [n.alias, n.sign, n.x, n.y]), data.edges.map((e) => [e.from, e.to]), data.texts]);
    if (shape !== this.shape) this.build();
    this.shape = shape;
    if (!this.head) this.begin();
    else if (data.graph !== before.graph) this.again();
    else this.head.changed(wasAtEnd);
    this.say();
    this.draw(Math.min(this.head.frame, this.count - 1));
    if (this.chosen !== undefined) this.open(this.chosen, false);
    if (this.table.open) this.fillTable();
  }

  begin() {
    this.join("begin");
    this.head.autoplay();
  }

  /** Another graph: its film from the beginning. */
  again() {
    this.close();
    this.box.scrollLeft = 0;
    this.head.touched = false;
    this.head.pause();
    this.head.tell();
    this.head.autoplay();
  }

  build() {
    const { nodes, edges, size, texts } = this.data;
    this.width = size[0] * COLUMN + WIDTH + 2 * PAD;
    this.height = size[1] * ROW + HEIGHT + 2 * PAD + 8;
    this.svg.setAttribute("viewBox", `0 0 ${this.width} ${this.height}`);
    this.svg.setAttribute("aria-label", this.data.alt);
    this.table.firstChild.textContent = texts.table;
    this.lines = edges.map((edge) => this.line(edge));
    this.cards = nodes.map((node, k) => this.card(node, k));
    this.svg.replaceChildren(...this.lines.flatMap((line) => [line.path]), ...this.cards.map((card) => card.root), ...this.lines.map((line) => line.label));
    this.focusable = 0;
    this.cards.forEach((card, k) => card.root.setAttribute("tabindex", k === 0 ? 0 : -1));
    this.chosen = undefined;
    this.opened.hidden = true;
    this.scale();
  }

  scale() {
    if (!this.width || !this.box.clientWidth) return;
    const scale = Math.min(1.12, Math.max(SMALLEST, this.box.clientWidth / this.width));
    this.svg.setAttribute("width", this.width * scale);
    this.svg.setAttribute("height", this.height * scale);
    this.factor = scale;
  }

  place(x, y) {
    return [PAD + WIDTH / 2 + x * COLUMN, PAD + HEIGHT / 2 + y * ROW];
  }

  line({ from, to, route }) {
    const a = this.data.nodes[from];
    const b = this.data.nodes[to];
    const points = [this.place(a.x, a.y), ...route.map(([x, y]) => this.place(x, y)), this.place(b.x, b.y)];
    points[0] = [points[0][0] + WIDTH / 2, points[0][1]];
    const sisters = this.data.edges.filter((edge) => edge.to === to);
    const spot = sisters.length > 1 ? (sisters.findIndex((edge) => edge.from === from && edge.route === route) + 0.5) / sisters.length - 0.5 : 0;
    const end = points.length - 1;
    points[end] = [points[end][0] - WIDTH / 2, points[end][1] + spot * HEIGHT * 0.5];
    let d = `M${points[0]}`;
    for (let k = 1; k < points.length; k++) {
      const bend = (points[k][0] - points[k - 1][0]) / 2;
      d += `C${points[k - 1][0] + bend} ${points[k - 1][1]} ${points[k][0] - bend} ${points[k][1]} ${points[k]}`;
    }
    const [p, q] = points.slice(-2);
    const label = el("svg:text", { class: "dl-edge-text", x: (p[0] + q[0]) / 2, y: (p[1] + q[1]) / 2 - 5, "aria-hidden": "true" });
    return { path: el("svg:path", { class: "dl-edge", d, "aria-hidden": "true" }), label };
  }

  card(node, k) {
    const [x, y] = this.place(node.x, node.y);
    const text = (kind, left, top, anchor) => el("svg:text", { class: kind, x: left, y: top, "text-anchor": anchor });
    const left = -WIDTH / 2 + 8;
    const card = {
      sign: text("dl-sign", WIDTH / 2 - 8, -13, "end"),
      name: text(node.name ? "dl-name" : "dl-name dl-unnamed", left, -12, "start"),
      value: text("dl-value", left, 5, "start"),
      gradient: text("dl-gradient", left, 21, "start"),
      blame: el("svg:rect", { class: "dl-blame", x: left, y: HEIGHT / 2 - 4.5, height: 3, width: 0, rx: 1.5 }),
    };
    const kind = node.op === "leaf" ? "dl-leaf" : k === this.data.nodes.length - 1 ? "dl-root" : "";
    card.root = el("svg:g", {
      class: `dl-node ${kind}`, transform: `translate(${x} ${y})`, role: "button", onclick: () => this.open(k), onkeydown: (event) => this.key(event, k),
    }, el("svg:rect", { class: "dl-card", x: -WIDTH / 2, y: -HEIGHT / 2, width: WIDTH, height: HEIGHT, rx: 9 }),
    card.name, card.sign, card.value, card.gradient, card.blame);
    const [, head, tail] = (node.name || node.alias).match(/^(.*?)_?(\d*)$/);
    card.name.append(head, ...(tail ? [el("svg:tspan", { class: "dl-low", dy: 3 }, tail)] : []));
    card.sign.textContent = node.op === "leaf" ? "" : node.sign;
    return card;
  }

  key(event, k) {
    if (event.key === "Enter" || event.key === " ") this.open(k);
    else if (event.key === "Escape") this.close();
    else {
      const by = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      if (!by) return;
      const next = (k + by + this.cards.length) % this.cards.length;
      this.cards[this.focusable].root.setAttribute("tabindex", -1);
      this.focusable = next;
      this.cards[next].root.setAttribute("tabindex", 0);
      this.cards[next].root.focus();
    }
    event.preventDefault();
  }

  /** Frame k: what is known by then, what moves now, and its formula. */
  draw(k) {
    const { nodes, edges, frames, texts } = this.data;
    const frame = frames[k];
    const [known, gradients] = this.knownAt(k);
    const sizes = Object.values(gradients).filter(Number.isFinite).map(Math.abs);
    const largest = Math.max(1e-300, ...sizes);
    nodes.forEach((node, i) => {
      const card = this.cards[i];
      const there = i in gradients;
      card.value.textContent = known.has(i) ? said(node.value, 4) : "";
      card.gradient.textContent = there ? `∂ ${said(gradients[i], 4)}` : "";
      card.blame.setAttribute("width", there && Number.isFinite(gradients[i]) ? (Math.abs(gradients[i]) / largest) * (WIDTH - 16) : 0);
      card.root.classList.toggle("dl-now", frame.node === i);
      card.root.classList.toggle("dl-back", frame.phase === "backward");
      card.root.classList.toggle("dl-faulty", Boolean(node.fault) && known.has(i));
      const words = [node.alias, node.sign, known.has(i) ? `${texts.value} ${said(node.value, 4)}` : "", there ? `${texts.gradient} ${said(gradients[i], 4)}` : "", node.fault];
      card.root.setAttribute("aria-label", words.filter(Boolean).join(", "));
    });
    edges.forEach((edge, i) => {
      const on = frame.edges?.includes(i);
      const { path, label } = this.lines[i];
      path.classList.toggle("dl-on", Boolean(on));
      path.classList.toggle("dl-in", frame.phase === "forward" && frame.node === edge.to);
      path.classList.toggle("dl-done", !on && edge.from in gradients && edge.to in gradients);
      label.classList.toggle("dl-on", Boolean(on));
      label.textContent = on ? `× ${said(edge.local, 3)}` : "";
    });
    this.now.dataset.phase = frame.phase;
    this.phase.textContent = frame.call > 1 || frames.at(-1).call > 1 ? `${texts[frame.phase]}${frame.call ? ` (${frame.call})` : ""}` : texts[frame.phase];
    this.text.setAttribute("aria-live", this.head?.playing ? "off" : "polite");
    if (this.said !== frame.text) this.text.innerHTML = this.said = frame.text; // HTML of our own; names are letters and digits
    this.follow(frame.node);
  }

  knownAt(k) {
    const { nodes, frames } = this.data;
    const known = new Set([...nodes.keys()].filter((i) => nodes[i].op === "leaf"));
    const gradients = {};
    for (let f = 0; f <= k; f++) {
      if (frames[f].phase === "forward") known.add(frames[f].node);
      Object.assign(gradients, frames[f].grads);
    }
    return [known, gradients];
  }

  /** Keep the node in hand in sight where the graph scrolls. */
  follow(node) {
    if (node === undefined || this.box.scrollWidth <= this.box.clientWidth + 2 || this.shown === node) return;
    this.shown = node;
    const x = this.place(this.data.nodes[node].x, 0)[0] * this.factor;
    this.box.scrollTo({ left: x - this.box.clientWidth / 2, behavior: "smooth" });
  }

  /** A node's formula, its derivatives, and how its gradient comes together. */
  open(k, byUser = true) {
    const node = this.data.nodes[k];
    const { texts } = this.data;
    if (!node) return this.close();
    this.chosen = k;
    this.cards.forEach((card, i) => card.root.classList.toggle("dl-picked", i === k));
    const math = (html) => {
      const line = el("div", { class: "dl-math" });
      line.innerHTML = html; // as above
      return line;
    };
    const part = (title, lines) => (lines.length ? [el("p", {}, title), ...lines.map(math)] : []);
    this.opened.replaceChildren(
      el("h4", {}, node.op === "leaf" ? `${node.alias} · ${texts.leaf}` : node.alias),
      el("button", { type: "button", class: "dl-close", "aria-label": texts.close, title: texts.close, onclick: () => this.close() }, "×"),
      ...(node.fault ? [el("p", { class: "dl-warn" }, node.fault)] : []),
      ...part(texts.forward, node.formula ? [node.formula] : []),
      ...part(texts.slopes, node.slopes),
      ...part(node.uses.length > 1 ? texts.sum : texts.comes, node.uses));
    this.opened.hidden = false;
    if (byUser && node.op === "leaf") this.pick(node.name);
  }

  close() {
    this.chosen = undefined;
    this.opened.hidden = true;
    this.cards.forEach((card) => card.root.classList.remove("dl-picked"));
  }

  fillTable() {
    if (!this.table.open) return;
    const { nodes, texts } = this.data;
    const [, gradients] = this.knownAt(this.count - 1);
    const rows = nodes.map((node, i) => [node.alias, node.op === "leaf" ? texts.leaf : node.sign, said(node.value, 5), said(gradients[i], 5)]);
    this.table.lastChild.replaceChildren(plainTable([texts.node, texts.operation, texts.value, texts.gradient], rows));
  }

  settle() {
    this.text.setAttribute("aria-live", "polite");
  }
}

/** A number, or the text that stands for one that is not finite. */
const said = (value, digits) => (typeof value === "string" ? value : number(value, digits));
