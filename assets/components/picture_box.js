// A picture with a box on it that covers a part: dragged, resized, or moved by keys. Python side: ui/picture_box.py.
import { el, running, style, whenGone } from "./common.js";
import { unpack } from "./wire.js";

const INTERVAL = 100; // ms between two boxes sent during a drag
const PATIENCE = 1000; // ms to wait for a run of the page to end before the next box is sent all the same
const LEAST = 0.02; // share of the picture; a smaller box is none
const FIRST = [0.35, 0.35, 0.3, 0.3];
const MOVES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

export default async function (component) {
  await style("picture_box.css");
  const host = component.parentElement;
  host.dlBox ??= new PictureBox(host);
  host.dlBox.update(unpack(component.data), component.setStateValue);
  return whenGone(host, () => host.dlBox.leave());
}

class PictureBox {
  constructor(host) {
    this.box = [0, 0, 0, 0]; // left, top, width, height, as shares of the picture
    this.image = el("img", { class: "dl-box-image", draggable: "false" });
    this.window = el("div", { class: "dl-box-window", "aria-hidden": "true" });
    this.cover = el("div", { class: "dl-box-cover", tabindex: "0", role: "group", hidden: true },
      ...["nw", "ne", "sw", "se"].map((corner) => el("span", { class: `dl-box-corner dl-box-${corner}`, "data-corner": corner })));
    this.frame = el("div", { class: "dl-box-frame" }, this.image, this.window, this.cover);
    this.button = el("button", { type: "button", class: "dl-box-button", onclick: () => this.toggle() });
    this.note = el("span", { class: "dl-box-note" });
    this.tools = el("div", { class: "dl-box-tools" }, this.button, this.note);
    host.append(el("div", { class: "dl-box" }, el("div", { class: "dl-box-stage" }, this.frame), this.tools));
    this.frame.addEventListener("pointerdown", (event) => this.begin(event));
    this.frame.addEventListener("pointermove", (event) => this.drag(event));
    for (const type of ["pointerup", "pointercancel"]) this.frame.addEventListener(type, () => this.end());
    this.cover.addEventListener("keydown", (event) => this.press(event));
  }

  update(data, setStateValue) {
    this.setStateValue = setStateValue;
    this.data = data;
    if (data.seq !== this.seq && !this.grip) {
      this.seq = data.seq;
      this.box = [...data.box];
      this.sent = JSON.stringify(this.box);
    }
    this.show(data.jpeg);
    this.image.alt = data.alt;
    const [height, width] = data.size;
    this.frame.style.aspectRatio = `${width} / ${height}`;
    this.frame.style.setProperty("--dl-ratio", width / height);
    const side = data.window * Math.min(height, width);
    this.window.hidden = !side || (data.window === 1 && height === width);
    this.window.style.width = `${(100 * side) / width}%`;
    this.window.style.height = `${(100 * side) / height}%`;
    this.window.title = data.texts.window;
    this.cover.setAttribute("aria-label", data.texts.keys);
    this.cover.title = data.texts.keys;
    this.tools.hidden = !data.editable;
    this.frame.classList.toggle("dl-box-editable", data.editable);
    this.draw();
  }

  /** The picture, when it is another one; the old one stays until the new one is there. */
  show(jpeg) {
    const known = this.jpeg;
    if (known && known.length === jpeg.length && known.every((byte, k) => byte === jpeg[k])) return;
    this.jpeg = jpeg;
    const url = URL.createObjectURL(new Blob([jpeg], { type: "image/jpeg" }));
    this.image.onload = () => {
      if (this.url && this.url !== url) URL.revokeObjectURL(this.url);
      this.url = url;
    };
    this.image.src = url;
  }

  leave() {
    clearTimeout(this.timer);
    if (this.url) URL.revokeObjectURL(this.url);
  }

  // --- the user's hand ---

  place(event) {
    const frame = this.frame.getBoundingClientRect();
    return [clamp((event.clientX - frame.left) / frame.width, 0, 1), clamp((event.clientY - frame.top) / frame.height, 0, 1)];
  }

  begin(event) {
    const onBox = this.cover.contains(event.target);
    if (!this.data.editable || event.button !== 0 || (event.pointerType === "touch" && !onBox)) return; // a finger scrolls the page
    event.preventDefault();
    const [x, y] = this.place(event);
    const [left, top, width, height] = this.box;
    const corner = event.target.dataset.corner;
    if (corner) this.grip = { anchor: [corner[1] === "w" ? left + width : left, corner[0] === "n" ? top + height : top] };
    else if (onBox) this.grip = { offset: [x - left, y - top] };
    else this.grip = { anchor: [x, y], before: this.box };
    this.frame.setPointerCapture(event.pointerId);
    if (onBox) this.cover.focus({ preventScroll: true });
  }

  drag(event) {
    if (!this.grip) return;
    const [x, y] = this.place(event);
    const { anchor, offset } = this.grip;
    if (offset) this.put([x - offset[0], y - offset[1], this.box[2], this.box[3]]);
    else this.put([Math.min(x, anchor[0]), Math.min(y, anchor[1]), Math.abs(x - anchor[0]), Math.abs(y - anchor[1])]);
    this.send();
  }

  end() {
    if (!this.grip) return;
    const { before } = this.grip;
    this.grip = undefined;
    if (this.box[2] < LEAST || this.box[3] < LEAST) this.put(before ?? [0, 0, 0, 0]); // a click is no box
    this.send();
  }

  press(event) {
    const move = MOVES[event.key];
    if (!this.data.editable || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Delete" || event.key === "Backspace") this.toggle();
    else if (move) {
      const [dx, dy] = move.map((step) => 0.02 * step);
      const [left, top, width, height] = this.box;
      this.put(event.shiftKey ? [left, top, Math.max(LEAST, width + dx), Math.max(LEAST, height + dy)] : [left + dx, top + dy, width, height]);
      this.send();
    } else return;
    event.preventDefault();
  }

  toggle() {
    const there = this.box[2] > 0;
    this.put(there ? [0, 0, 0, 0] : FIRST);
    if (there) this.button.focus();
    else this.cover.focus({ preventScroll: true });
    this.send();
  }

  /** A box within the picture, in thousandths. */
  put([left, top, width, height]) {
    const [w, h] = [clamp(width, 0, 1), clamp(height, 0, 1)];
    this.box = [clamp(left, 0, 1 - w), clamp(top, 0, 1 - h), w, h].map((share) => Math.round(1000 * share) / 1000);
    this.draw();
  }

  draw() {
    const [left, top, width, height] = this.box;
    const there = width > 0 && height > 0;
    this.cover.hidden = !there;
    Object.assign(this.cover.style, { left: `${100 * left}%`, top: `${100 * top}%`, width: `${100 * width}%`, height: `${100 * height}%` });
    const { texts } = this.data;
    this.button.textContent = there ? texts.remove : texts.cover;
    this.note.textContent = there ? `${(100 * width * height).toFixed(1)}%` : texts.hint;
  }

  // --- to the server: at most ten a second, the last one always arrives ---

  send() {
    if (this.timer || this.isSaid()) return;
    this.waiting = performance.now();
    this.timer = setTimeout(() => this.sendWhenFree(), Math.max(0, (this.sentAt ?? 0) + INTERVAL - performance.now()));
  }

  isSaid() {
    return this.sent === JSON.stringify(this.box) && !(this.held && !this.grip);
  }

  sendWhenFree() {
    if (running() && performance.now() < this.waiting + PATIENCE) {
      this.timer = setTimeout(() => this.sendWhenFree(), 15);
      return;
    }
    this.timer = undefined;
    if (this.isSaid()) return;
    this.sentAt = performance.now();
    this.sent = JSON.stringify(this.box);
    this.held = Boolean(this.grip);
    this.seq = this.data.seq; // the user has the last word
    this.setStateValue("value", { value: this.box, held: this.held, seq: this.seq, n: Math.round(performance.timeOrigin + this.sentAt) });
  }
}
