// A slider that sends while it is dragged. Python side: ui/slider.py.
import { el, number, parseNumber, running, style, whenGone } from "./common.js";

const INTERVAL = 100; // ms between two values sent: at most ten a second
// A new value interrupts the script run of the one before: during a drag, wait for it so that a slow page is drawn at all.
const PATIENCE = 2000; // ms
const LAST_PATIENCE = 100; // ms, for the value at the end

export default async function (component) {
  await style("slider.css");
  const host = component.parentElement;
  host.dlSlider ??= new Slider(host);
  host.dlSlider.update(component);
  return whenGone(host, () => host.dlSlider.leave());
}

class Slider {
  constructor(host) {
    this.seq = undefined;
    this.dragging = false;
    this.sentAt = 0;
    this.build(host);
  }

  build(host) {
    const id = `dl-${Math.random().toString(36).slice(2)}`;
    this.name = el("span", { id: `${id}-name`, class: "dl-slider-name" });
    this.tip = el("span", { id: `${id}-tip`, role: "tooltip", class: "dl-slider-tip" });
    this.entry = el("input", {
      class: "dl-slider-entry", type: "text", inputmode: "decimal", autocomplete: "off", spellcheck: "false",
      "aria-labelledby": `${id}-name`,
      onkeydown: (event) => this.onEntryKey(event), onblur: () => this.readEntry(), onfocus: () => this.entry.select(),
    });
    this.unit = el("span", { class: "dl-slider-unit" });
    this.zone = el("span", { class: "dl-slider-zone" });
    this.fill = el("span", { class: "dl-slider-fill" });
    this.ticks = el("span", { class: "dl-slider-ticks", "aria-hidden": "true" });
    this.thumb = el("span", {
      class: "dl-slider-thumb", role: "slider", tabindex: "0", "aria-labelledby": `${id}-name`,
      "aria-describedby": `${id}-tip`, onkeydown: (event) => this.onKey(event),
    });
    this.track = el("div", { class: "dl-slider-track" },
      el("span", { class: "dl-slider-rail" }), this.zone, this.fill, this.ticks, this.thumb);
    this.labels = el("div", { class: "dl-slider-labels", "aria-hidden": "true" });
    for (const type of ["down", "move", "up", "cancel"])
      this.track.addEventListener(`pointer${type}`, (event) => this.onPointer(type, event));
    this.root = el("div", { class: "dl-slider" },
      el("div", { class: "dl-slider-head" }, this.name, this.tip, el("span", { class: "dl-slider-value" }, this.entry, this.unit)),
      this.track, this.labels);
    host.append(this.root);
    this.observer = new ResizeObserver(() => this.data && this.drawMarks());
    this.observer.observe(this.track);
  }

  leave() {
    this.observer.disconnect();
    clearTimeout(this.timer);
  }

  update({ data, setStateValue }) {
    this.setStateValue = setStateValue;
    const before = this.data;
    this.data = data;
    if (data.seq !== this.seq && !this.dragging) {
      this.seq = data.seq;
      this.value = this.sent = data.value;
    }
    this.name.textContent = data.label;
    this.tip.textContent = data.help;
    this.root.classList.toggle("dl-has-help", Boolean(data.help));
    this.unit.textContent = data.unit;
    this.root.classList.toggle("dl-disabled", data.disabled);
    this.entry.disabled = data.disabled;
    this.thumb.tabIndex = data.disabled ? -1 : 0;
    this.root.style.setProperty("--dl-slider-color", data.color ?? "");
    const same = before && ["low", "high", "log", "odds", "marks", "zero"].every((k) => JSON.stringify(before[k]) === JSON.stringify(data[k]));
    if (!same) this.drawMarks();
    this.draw();
  }

  // --- the scale: values to places on the track (0 to 1) and back ---

  place(value) {
    const { low, high, log, odds } = this.data;
    const share = odds ? (logit(value) - logit(low)) / (logit(high) - logit(low)) : log ? Math.log(value / low) / Math.log(high / low) : (value - low) / (high - low);
    return Math.min(1, Math.max(0, share));
  }

  at(place) {
    const { low, high, log, odds } = this.data;
    const share = Math.min(1, Math.max(0, place));
    if (odds) return this.snap(1 / (1 + Math.exp(-(logit(low) + (logit(high) - logit(low)) * share))));
    return this.snap(log ? low * (high / low) ** share : low + (high - low) * share);
  }

  snap(value) {
    const { low, high, log, odds, step } = this.data;
    let snapped;
    if (odds) snapped = Number(value.toFixed(oddsDigits(value)));
    else if (log) snapped = this.whole() ? Math.round(Number(value.toPrecision(3))) : Number(value.toPrecision(3));
    else {
      const grid = step ?? 10 ** Math.floor(Math.log10((high - low) / 1000) + 1e-9);
      snapped = Number((low + Math.round((value - low) / grid) * grid).toPrecision(12));
    }
    return Math.min(high, Math.max(low, snapped));
  }

  /** Whether a logarithmic track has whole numbers only, as those of epochs or images. */
  whole() {
    return this.data.log && Number.isInteger(this.data.step);
  }

  text(value) {
    const { low, high, log, odds, step, zero } = this.data;
    if (zero && value === 0) return zero;
    if (odds) return String(Number(value.toFixed(oddsDigits(value))));
    if (log) return number(value, 3);
    const grid = step ?? (high - low) / 1000;
    const size = Math.max(Math.abs(value), grid);
    return number(value, Math.max(1, Math.ceil(Math.log10(size / grid) + 1e-9) + 1));
  }

  // --- the user's hand ---

  onPointer(type, event) {
    if (this.data.disabled) return;
    if (type === "down" && event.button === 0) {
      event.preventDefault();
      this.track.setPointerCapture(event.pointerId);
      this.dragging = true;
      this.thumb.focus({ preventScroll: true });
    } else if (!this.dragging || type === "down") return;
    const box = this.track.getBoundingClientRect();
    if (type !== "cancel") this.value = this.at((event.clientX - box.left) / box.width);
    if (type === "up" || type === "cancel") this.dragging = false;
    this.root.classList.toggle("dl-dragging", this.dragging);
    this.draw();
    this.send();
  }

  onKey(event) {
    const { low, high, log, step } = this.data;
    const moves = {
      ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1, PageUp: 10, PageDown: -10, Home: -Infinity, End: Infinity,
    };
    const move = moves[event.key];
    if (move === undefined || this.data.disabled || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    const whole = step && !log ? Math.max(1, (Math.abs(move) === 10 ? (high - low) / 10 : step) / step) * step : 0;
    if (!Number.isFinite(move)) this.value = move < 0 ? low : high;
    else if (whole) this.value = this.snap(this.value + Math.sign(move) * whole);
    else {
      const before = this.value;
      this.value = this.at(this.place(before) + move / 100);
      if (this.whole() && this.value === before) this.value = this.snap(before + Math.sign(move)); // rounded back
    }
    this.draw();
    this.send();
  }

  onEntryKey(event) {
    if (event.key === "Enter") this.entry.blur();
    if (event.key === "Escape") {
      this.entry.value = this.text(this.value);
      this.entry.blur();
    }
  }

  readEntry() {
    if (this.entry.value === this.text(this.value)) return;
    const isZero = this.data.zero && this.entry.value.trim() === this.data.zero;
    const typed = isZero ? 0 : parseNumber(this.entry.value);
    const { low, high, log, step } = this.data;
    if (Number.isFinite(typed)) {
      const inside = Math.min(high, Math.max(low, typed)); // what is typed is meant: no rounding to the track's grid
      this.value = step && !log ? this.snap(inside) : this.whole() ? Math.round(inside) : inside;
    }
    this.draw(true);
    this.send();
  }

  // --- to the server: at most ten a second, the newest wins, the last one always arrives ---

  send() {
    if (this.timer || this.isSaid()) return;
    const wait = Math.max(0, this.sentAt + INTERVAL - performance.now());
    this.waiting = performance.now();
    this.timer = setTimeout(() => this.sendWhenFree(), wait);
    if (wait === 0 && !running()) {
      clearTimeout(this.timer);
      this.sendNow();
    }
  }

  /** Whether the server knows where the slider stands and, where that matters, that it was let go. */
  isSaid() {
    return this.value === this.sent && !(this.data.release && this.held && !this.dragging);
  }

  sendWhenFree() {
    const patience = this.dragging ? PATIENCE : LAST_PATIENCE;
    if (running() && performance.now() < this.waiting + patience) this.timer = setTimeout(() => this.sendWhenFree(), 15);
    else this.sendNow();
  }

  sendNow() {
    this.timer = undefined;
    if (this.isSaid()) return;
    this.sentAt = performance.now();
    this.sent = this.value;
    this.held = this.dragging;
    this.seq = this.data.seq; // the user has the last word, over values imposed during the drag too
    this.setStateValue("value", { value: this.value, held: this.held, seq: this.seq, n: Math.round(performance.timeOrigin + this.sentAt) });
  }

  // --- drawing ---

  draw(force = false) {
    const share = this.place(this.value);
    const limit = this.limit();
    this.thumb.style.left = this.fill.style.width = `${share * 100}%`;
    this.root.classList.toggle("dl-beyond", limit !== undefined && this.value > limit);
    if (force || document.activeElement !== this.entry) this.entry.value = this.text(this.value);
    const { low, high, unit } = this.data;
    const spoken = [this.text(this.value), unit].filter(Boolean).join(" ");
    const values = { valuemin: low, valuemax: high, valuenow: this.value, valuetext: spoken, disabled: this.data.disabled };
    for (const [name, value] of Object.entries(values)) this.thumb.setAttribute(`aria-${name}`, value);
  }

  limit() {
    return this.data.marks.find((mark) => mark.kind === "limit")?.value;
  }

  drawMarks() {
    const { low, high, log, marks } = this.data;
    const limit = this.limit();
    this.zone.style.left = `${(limit === undefined ? 1 : this.place(limit)) * 100}%`;
    this.ticks.replaceChildren();
    if (log)
      for (let power = Math.ceil(Math.log10(low)); 10 ** power <= high; power++) this.tick(10 ** power, "decade");
    for (const mark of marks) this.tick(mark.value, mark.kind);
    this.labels.replaceChildren();
    const ends = [low, high].map((value) => ({ value, label: this.text(value), kind: "end" }));
    this.layLabels([...marks.filter((m) => m.label), ...ends]);
  }

  tick(value, kind) {
    this.ticks.append(el("span", { class: `dl-tick dl-tick-${kind}`, style: `left:${this.place(value) * 100}%` }));
  }

  /** Put labels under their marks, moved inwards at the ends, on two lines where they would touch; ends yield. */
  layLabels(wanted) {
    const width = this.track.clientWidth;
    if (!width) return;
    const lines = [[], []];
    for (const { value, label, kind } of wanted) {
      const node = el("span", { class: `dl-label dl-label-${kind}` }, label);
      this.labels.append(node);
      const half = node.offsetWidth / 2;
      const middle = Math.min(width - half, Math.max(half, this.place(value) * width));
      const free = (line) => line.every(([a, b]) => middle + half + 6 < a || middle - half - 6 > b);
      const line = kind === "end" ? (free(lines[0]) ? 0 : -1) : lines.findIndex(free);
      if (line < 0) {
        node.remove();
        continue;
      }
      lines[line].push([middle - half, middle + half]);
      node.style.transform = `translate(${middle - half}px, ${line * 1.15}em)`;
    }
    this.rows = Math.max(this.rows ?? 1, lines[1].length ? 2 : 1); // never shrinks: the page must not jump
    this.labels.style.height = `${this.rows * 1.15 + 0.1}em`;
  }
}

/** ln(p / (1 − p)). */
function logit(p) {
  return Math.log(p / (1 - p));
}

/** Decimals of a probability that leave three digits of it and of what is missing to 1. */
function oddsDigits(p) {
  return Math.min(12, 2 - Math.floor(Math.log10(Math.max(1e-9, Math.min(p, 1 - p)))));
}
