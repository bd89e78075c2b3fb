// A plain and a residual network as two rows of blocks, and one block of each opened, with its sum. Python side: ui/block_view.py.
import { el, number, style, whenGone } from "./common.js";
import { Played } from "./played.js";
import { BlockPicture } from "./residual_block.js";
import { plainTable } from "./table.js";
import { unpack } from "./wire.js";

const NOTED = 700; // ms at rest before the block goes into the address
const MOVES = { ArrowRight: 1, ArrowLeft: -1, PageDown: 10, PageUp: -10, Home: -Infinity, End: Infinity };

export default async function (component) {
  await Promise.all([style("live_plot.css"), style("graph.css"), style("residual.css")]);
  const host = component.parentElement;
  host.dlResidual ??= new Residual(host);
  host.dlResidual.update(unpack(component.data), component);
  return whenGone(host, () => host.dlResidual.leave());
}

class Residual extends Played {
  constructor(host) {
    super();
    host.style.minHeight = "";
    this.picture = new BlockPicture({ pick: (k) => this.pick(k), key: (event) => this.key(event) });
    this.controls = el("div", { class: "dl-graph-controls" });
    this.story = el("p", { class: "dl-res-story", "aria-live": "polite" });
    this.table = el("details", { ontoggle: () => this.fillTable() }, el("summary"), el("div"));
    this.root = el("div", { class: "dl-res" }, this.controls, this.picture.svg, this.story, this.table);
    host.append(this.root);
    this.watch(this.root);
  }

  get count() {
    return this.data.steps.length;
  }

  get blocks() {
    return this.data.kind_of.length;
  }

  update(data, component) {
    const wasAtEnd = this.head?.atEnd;
    const told = data.block !== this.data?.block; // the address, not what was picked here and is on its way
    this.data = data;
    this.send = (name, value) => component.setTriggerValue(name, value);
    if (told || this.block === undefined) this.block = data.block;
    this.block = Math.min(this.block, this.blocks - 1);
    if (this.head?.name !== data.group) this.join();
    else this.head.changed(wasAtEnd);
    this.say();
    this.picture.svg.setAttribute("aria-label", `${data.alt} ${data.texts.keys}`);
    this.table.firstChild.textContent = data.texts.table;
    this.draw();
  }

  barWords() {
    const { texts, steps, total } = this.data;
    const at = (frame) => texts.at.replace("{step}", Number(steps[Math.min(frame, steps.length - 1)]).toLocaleString("en").padStart(String(total).length, "\u2007")).replace("{total}", Number(total).toLocaleString("en"));
    return { ...texts, at };
  }

  get frame() {
    return Math.min(this.head.frame, this.count - 1);
  }

  // -- hands -------------------------------------------------------------------------------------------------------------

  pick(k) {
    this.block = Math.min(this.blocks - 1, Math.max(0, k));
    this.draw();
    clearTimeout(this.note);
    this.note = setTimeout(() => this.send("block", this.block), NOTED);
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === " ") this.head.toggle();
    else if (event.key in MOVES) this.pick(this.block + MOVES[event.key]);
    else return;
    event.preventDefault();
  }

  // -- drawing -----------------------------------------------------------------------------------------------------------

  draw() {
    if (!this.root.clientWidth) return;
    const { data, frame, block } = this;
    const flow = Object.fromEntries(Object.keys(data.names).map((name) => [name, this.flow(name)]));
    this.root.classList.toggle("dl-res-narrow", this.root.clientWidth < 620);
    this.picture.draw({ ...data, flow, frame, picked: block, design: data.designs[data.kind_of[block]], room: this.root.clientWidth });
    this.tell(flow.residual);
    this.story.setAttribute("aria-live", this.head.playing ? "off" : "polite");
    if (this.table.open) this.fillTable();
  }

  settle() {
    this.draw();
  }

  /** The numbers of the opened block of one network, at the playhead: {x, f, y, …}; empty where nothing is known yet. */
  flow(name) {
    const rows = this.data.flows?.[name] ?? {};
    return Object.fromEntries(Object.entries(rows).map(([what, values]) => [what, values[this.frame]?.[this.block]]));
  }

  tell(flow) {
    const { texts } = this.data;
    const known = Number.isFinite(flow.x);
    const words = { n: this.block + 1, x: number(flow.x, 3), f: number(flow.f, 3), share: number(flow.f / flow.x, 2), link: number(flow.link, 2), branch: number(flow.through, 2) };
    this.story.textContent = (known ? texts.story : texts.unknown).replace(/\{(\w+)\}/g, (_m, name) => words[name]);
  }

  fillTable() {
    if (!this.table.open) return;
    const { texts, names, flows } = this.data;
    const columns = Object.entries(names).flatMap(([name, title]) => ["x", "f", "y", "gx", "weights"].filter((what) => flows?.[name]?.[what]).map((what) => [name, what, `${title}: ${texts.columns[what]}`]));
    const head = [texts.block, ...columns.map(([, , title]) => title)];
    const rows = Array.from({ length: this.blocks }, (_v, k) => [String(k + 1), ...columns.map(([name, what]) => number(flows[name][what][this.frame][k], 3))]);
    this.table.lastChild.replaceChildren(plainTable(head, rows));
  }
}
