// A network as a row of cards, one for each layer: add, take out, move, change. Python side: ui/layer_editor.py.
//
// What the user does becomes a text in the language of layers and goes to Python as a numbered edit; what comes back
// (shapes, costs, the fault) belongs to the text it names. Until then the cards stand as the user left them.
import { el, style, whenGone } from "./common.js";

const FIELDS = { conv: ["size", "window", "stride", "pad"], pool: ["how", "window", "stride"], dense: ["size"], dropout: ["share"] };
const FRESH = { conv: { size: 32, window: 3, stride: 1, pad: 0 }, pool: { how: "max", window: 2, stride: 2 }, dense: { size: 64 }, dropout: { share: 0.25 } };

export default async function (component) {
  await style("layer_editor.css");
  const host = component.parentElement;
  host.dlEditor ??= new Editor(host);
  host.dlEditor.update(component);
  return whenGone(host, () => {});
}

class Editor {
  constructor(host) {
    this.layers = [];
    this.starts = el("div", { class: "dl-ed-starts", role: "group" });
    this.undoButton = el("button", { type: "button", class: "dl-ed-button", onclick: () => this.send({ undo: true }) });
    this.cards = el("ol", { class: "dl-ed-cards" });
    this.entry = el("input", { type: "text", class: "dl-ed-entry", spellcheck: "false", autocomplete: "off", maxlength: 1500,
      onchange: () => this.send({ text: this.entry.value }), onkeydown: (e) => e.key === "Enter" && this.entry.blur() });
    this.entryName = el("span", {});
    this.sum = el("p", { class: "dl-ed-sum", "aria-live": "polite" });
    this.root = el("div", { class: "dl-ed", role: "group" }, el("div", { class: "dl-ed-bar" }, this.starts, this.undoButton),
      this.cards, el("label", { class: "dl-ed-line" }, this.entryName, this.entry), this.sum);
    this.root.addEventListener("keydown", (event) => this.onKey(event));
    host.append(this.root);
  }

  update({ data, setTriggerValue }) {
    this.tell = (edit) => setTriggerValue("edit", edit);
    const other = JSON.stringify([data.texts, data.input]) !== JSON.stringify([this.data?.texts, this.data?.input]);
    this.data = data;
    if (other) this.label(); // also in another language, or for other images
    if (this.sent && data.n < this.sent) return; // an answer to an older edit
    if (document.activeElement !== this.entry) this.entry.value = data.text;
    this.undoButton.disabled = !data.undo;
    this.show(data.layers);
  }

  label() {
    const { texts, presets } = this.data;
    this.root.setAttribute("aria-label", texts.name);
    this.cards.setAttribute("aria-label", texts.keys);
    this.undoButton.textContent = texts.undo;
    this.entryName.textContent = texts.line;
    this.entry.title = texts.lineHelp;
    this.kinds = undefined; // the cards are made anew
    this.starts.replaceChildren(el("span", {}, texts.start),
      ...presets.map(({ title, text }) => el("button", { type: "button", class: "dl-ed-button", onclick: () => this.send({ text }) }, title)));
  }

  // --- edits ---

  send(edit) {
    this.sent = Math.round(performance.timeOrigin + performance.now());
    this.tell({ ...edit, n: this.sent });
  }

  /** The cards as they are now become the network. */
  change(layers, focus) {
    this.show(layers.map((layer) => ({ ...layer, shape: undefined, problem: undefined })), focus);
    this.entry.value = layers.map(write).join("; ");
    this.send({ text: this.entry.value });
  }

  move(from, to) {
    if (to < 0 || to >= this.layers.length || from === to) return;
    const layers = [...this.layers];
    layers.splice(to, 0, ...layers.splice(from, 1));
    this.change(layers, to);
  }

  remove(place) {
    this.change(this.layers.filter((_layer, k) => k !== place), Math.min(place, this.layers.length - 2));
  }

  add(kind) {
    const last = this.layers.at(-1);
    const end = last?.kind === "dense" && !last.size ? this.layers.length - 1 : this.layers.length; // before the scores
    const scores = kind === "scores";
    const layer = scores ? { kind: "dense", size: 0 } : { kind, ...FRESH[kind] };
    const place = scores ? this.layers.length : end;
    this.change(this.layers.toSpliced(place, 0, layer), place);
  }

  onKey(event) {
    const place = [...this.cards.children].filter((c) => c.dataset.place).findIndex((card) => card.contains(event.target));
    const arrow = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }[event.key];
    const onCard = event.target.dataset?.place !== undefined;
    if ((event.ctrlKey || event.metaKey) && event.key === "z" && event.target !== this.entry) {
      event.preventDefault();
      this.send({ undo: true });
    } else if (place >= 0 && arrow && event.altKey) {
      event.preventDefault();
      this.move(place, place + arrow);
    } else if (onCard && arrow) {
      event.preventDefault();
      this.card(place + arrow)?.focus();
    } else if (onCard && (event.key === "Delete" || event.key === "Backspace")) {
      event.preventDefault();
      this.remove(place);
    }
  }

  // --- drawing: cards of an unchanged sequence are kept, so that what has the focus keeps it ---

  card(place) {
    return this.cards.querySelector(`[data-place="${place}"]`);
  }

  show(layers, focus) {
    const kinds = layers.map((layer) => layer.kind + (layer.kind === "dense" && !layer.size)).join();
    this.layers = layers;
    if (kinds !== this.kinds || !this.cards.children.length) {
      this.kinds = kinds;
      this.cards.replaceChildren(this.ends(this.data.input), ...layers.map((_layer, place) => this.build(place)), this.adder());
    }
    layers.forEach((layer, place) => this.fill(place, layer));
    this.faults();
    if (focus !== undefined) this.card(focus)?.focus();
  }

  build(place) {
    const { texts, kinds } = this.data;
    const layer = this.layers[place];
    const end = layer.kind === "dense" && !layer.size;
    const fields = end ? [] : FIELDS[layer.kind] ?? [];
    const tool = (sign, name, action) => el("button", { type: "button", class: "dl-ed-tool", title: name, "aria-label": name, onclick: action }, sign);
    const head = el("div", { class: "dl-ed-head", draggable: "true" }, el("strong", {}, kinds[layer.kind]),
      el("span", { class: "dl-ed-tools" }, tool("‹", texts.earlier, () => this.move(place, place - 1)),
        tool("›", texts.later, () => this.move(place, place + 1)), tool("×", texts.remove, () => this.remove(place))));
    const card = el("li", { class: "dl-ed-card", "data-place": place, "data-kind": layer.kind, tabindex: "0" }, head,
      el("div", { class: "dl-ed-fields" }, ...fields.map((name) => this.field(place, name)), end ? el("p", { class: "dl-ed-note" }, texts.end) : null),
      el("div", { class: "dl-ed-out" }, el("span", { class: "dl-ed-shape" }), el("span", { class: "dl-ed-params" })));
    head.addEventListener("dragstart", (event) => { this.dragged = place; event.dataTransfer.setData("text/plain", String(place)); event.dataTransfer.effectAllowed = "move"; });
    card.addEventListener("dragover", (event) => this.dragged !== undefined && event.preventDefault());
    card.addEventListener("dragenter", () => card.classList.toggle("dl-ed-target", this.dragged !== undefined && this.dragged !== place));
    card.addEventListener("dragleave", (event) => card.contains(event.relatedTarget) || card.classList.remove("dl-ed-target"));
    card.addEventListener("drop", (event) => { event.preventDefault(); this.move(this.dragged, place); });
    head.addEventListener("dragend", () => { this.dragged = undefined; for (const c of this.cards.children) c.classList.remove("dl-ed-target"); });
    return card;
  }

  field(place, name) {
    const { texts, bounds, hows } = this.data;
    const { kind } = this.layers[place];
    const set = (value) => this.change(this.layers.map((layer, k) => (k === place ? changed(layer, name, value) : layer)));
    if (name === "how") {
      const options = Object.entries(hows).map(([value, title]) => el("option", { value }, title));
      return el("label", { class: "dl-ed-wide" }, el("select", { "data-name": name, "aria-label": texts.how, onchange: (e) => set(e.target.value) }, ...options));
    }
    const [low, high] = name === "share" ? [0, 0.95] : bounds[kind][name];
    const input = el("input", { type: "number", min: low, max: high, step: name === "share" ? 0.05 : 1, "data-name": name,
      title: `${low} – ${high}`, oninput: () => { // what is half typed or out of bounds waits, marked
        const value = Number(input.value);
        const fits = input.value !== "" && value >= low && value <= high && (name === "share" || Number.isInteger(value));
        input.setAttribute("aria-invalid", String(!fits));
        if (fits) set(value);
      }, onblur: () => { input.removeAttribute("aria-invalid"); input.value = this.layers[place][name]; } });
    return el("label", {}, el("span", {}, texts[`${kind}.${name}`] ?? texts[name]), input);
  }

  fill(place, layer) {
    const card = this.card(place);
    for (const input of card.querySelectorAll("[data-name]"))
      if (document.activeElement !== input) input.value = layer[input.dataset.name];
    if (layer.shape !== undefined) { // else the old ones stand, greyed, until the answer comes
      card.querySelector(".dl-ed-shape").textContent = layer.shape;
      card.querySelector(".dl-ed-params").textContent = layer.params;
    }
    card.classList.toggle("dl-ed-waiting", layer.shape === undefined);
    card.classList.toggle("dl-ed-broken", Boolean(layer.problem));
    card.setAttribute("aria-label", [place + 1, layer.name, layer.shape, layer.params, layer.problem].filter(Boolean).join(", "));
  }

  /** The sentence of the fault stands right after its card. */
  faults() {
    for (const old of this.cards.querySelectorAll(".dl-ed-fault")) old.remove();
    const place = this.layers.findIndex((layer) => layer.problem);
    if (place >= 0) this.card(place).after(el("li", { class: "dl-ed-fault", role: "alert" }, this.layers[place].problem));
    this.sum.textContent = this.data.sum;
    this.sum.classList.toggle("dl-ed-wrong", this.data.wrong);
  }

  ends(input) {
    return el("li", { class: "dl-ed-card dl-ed-input" }, el("div", { class: "dl-ed-head" }, el("strong", {}, this.data.texts.image)), el("div", { class: "dl-ed-fields" }),
      el("div", { class: "dl-ed-out" }, el("span", { class: "dl-ed-shape" }, input)));
  }

  adder() {
    const { texts, kinds } = this.data;
    const options = [...Object.entries(kinds), ["scores", texts.scores]].map(([value, title]) => el("option", { value }, title));
    const select = el("select", { class: "dl-ed-add", "aria-label": texts.add, onchange: () => select.value && this.add(select.value) },
      el("option", { value: "" }, `+ ${texts.add}`), ...options);
    return el("li", { class: "dl-ed-adder" }, select);
  }
}

/** A layer with one number changed; the steps of a pooling stay as wide as its window where they were. */
function changed(layer, name, value) {
  const together = layer.kind === "pool" && name === "window" && layer.stride === layer.window;
  return { ...layer, [name]: value, ...(together ? { stride: value } : {}) };
}

/** One layer as dlcore/models/layers.py reads it. */
function write({ kind, size, window, stride, pad, how, share }) {
  if (kind === "conv") return `conv ${size} ${window}${stride === 1 ? "" : ` stride ${stride}`}${pad ? ` pad ${pad}` : ""}`;
  if (kind === "pool") return `pool ${how === "max" ? "" : `${how} `}${window}${stride === window ? "" : ` stride ${stride}`}`;
  if (kind === "dense") return size ? `dense ${size}` : "dense";
  return kind === "dropout" ? `dropout ${share}` : kind;
}
