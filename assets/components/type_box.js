// A text field that sends while one types. Python side: ui/type_box.py.
import { el, running, style, whenGone } from "./common.js";

const PAUSE = 150; // ms after the last letter
const LONGEST = 500; // ms between two messages during steady typing
const PATIENCE = 1500; // ms that a script run in progress is waited for, so that a slow page is drawn at all

export default async function (component) {
  await style("type_box.css");
  const host = component.parentElement;
  host.dlType ??= new TypeBox(host);
  host.dlType.update(component);
  return whenGone(host, () => host.dlType.leave());
}

class TypeBox {
  constructor(host) {
    this.sentAt = 0;
    const id = `dl-${Math.random().toString(36).slice(2)}`;
    this.label = el("label", { for: id });
    this.count = el("span", { class: "dl-type-count", role: "status" });
    this.help = el("div", { id: `${id}-help`, class: "dl-type-help" });
    this.field = el("textarea", {
      id, class: "dl-type-field", dir: "auto", autocomplete: "off", spellcheck: "false", "aria-describedby": `${id}-help`,
      oninput: () => this.typed(),
      onkeydown: (event) => this.onKey(event),
      onblur: () => this.flush(),
      oncompositionstart: () => (this.composing = true),
      oncompositionend: () => { this.composing = false; this.typed(); },
    });
    host.append(el("div", { class: "dl-type" }, el("div", { class: "dl-type-head" }, this.label, this.count), this.field, this.help));
  }

  leave() {
    clearTimeout(this.timer);
  }

  update({ data, setStateValue }) {
    this.setStateValue = setStateValue;
    this.data = data;
    if (data.seq !== this.seq && !this.isBusy()) {
      this.seq = data.seq;
      this.sent = data.value;
      if (this.field.value !== data.value) this.field.value = data.value;
    }
    this.label.textContent = data.label;
    this.help.textContent = data.help;
    this.field.rows = data.lines;
    this.field.placeholder = data.placeholder;
    this.field.disabled = data.disabled;
    this.showCount();
  }

  /** Whether letters stand there that the server has not been told: they win over what it imposes. */
  isBusy() {
    return this.composing || this.timer !== undefined;
  }

  onKey(event) {
    if (event.key !== "Enter" || this.data.lines > 1 || event.isComposing) return;
    event.preventDefault();
    this.flush();
  }

  typed() {
    if (this.composing) return;
    this.limit();
    this.showCount();
    const now = performance.now();
    this.since ??= now; // the first letter that is not yet told
    clearTimeout(this.timer);
    const wait = Math.min(PAUSE, Math.max(0, LONGEST - (now - this.since)));
    this.timer = setTimeout(() => this.sendWhenFree(), wait);
  }

  /** Cut what is too long by whole characters, and keep the caret; one line has no line breaks. */
  limit() {
    const { most, lines } = this.data;
    const flat = lines > 1 ? this.field.value : this.field.value.replace(/\r?\n/g, " ");
    const letters = [...flat];
    const text = letters.length > most ? letters.slice(0, most).join("") : flat;
    if (text === this.field.value) return;
    const caret = this.field.selectionStart;
    this.field.value = text;
    this.field.setSelectionRange(caret, caret);
  }

  showCount() {
    const { most, full } = this.data;
    const n = [...this.field.value].length;
    this.count.textContent = n >= 0.8 * most ? full.replace("{n}", n).replace("{most}", most) : "";
  }

  sendWhenFree() {
    if (running() && performance.now() < this.since + PATIENCE) this.timer = setTimeout(() => this.sendWhenFree(), 15);
    else this.sendNow();
  }

  flush() {
    if (this.timer === undefined || this.composing) return;
    clearTimeout(this.timer);
    this.sendNow();
  }

  sendNow() {
    this.timer = this.since = undefined;
    if (this.field.value === this.sent && this.seq === this.data.seq) return;
    this.sent = this.field.value;
    this.seq = this.data.seq; // the user has the last word, over values imposed while typing too
    this.setStateValue("value", { value: this.sent, seq: this.seq, n: Math.round(performance.timeOrigin + performance.now()) });
  }
}
