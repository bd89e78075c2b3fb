// A pad to draw on. Python side: ui/draw_pad.py.
import { el, style, whenGone } from "./common.js";

const FINE = 8; // canvas pixels per pixel of the picture that is sent, averaged over
const INTERVAL = 200; // ms between two pictures sent during a stroke
const MOVES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export default async function (component) {
  await style("draw_pad.css");
  const host = component.parentElement;
  host.dlPad ??= new DrawPad(host, component.data);
  host.dlPad.setStateValue = component.setStateValue;
  host.dlPad.name(component.data);
  return whenGone(host, () => host.dlPad.observer.disconnect());
}

class DrawPad {
  constructor(host, { size }) {
    this.size = size;
    this.strokes = []; // {width, points: [[x, y], …]} in units of the pad's side
    this.canvas = el("canvas", { class: "dl-pad-canvas", tabindex: "0", role: "img" });
    this.fine = el("canvas", { width: size * FINE, height: size * FINE });
    this.pen = el("span", { class: "dl-pad-pen", "aria-hidden": "true", hidden: true }); // where the keyboard draws
    this.at = [0.5, 0.25];
    this.hint = el("span", { class: "dl-pad-hint", "aria-hidden": "true" });
    this.undo = el("button", { type: "button", class: "dl-pad-button", onclick: () => this.remove(1) }, icon("M7 4 3 8l4 4M3.5 8H10a3.5 3.5 0 0 1 0 7H7"));
    this.clear = el("button", { type: "button", class: "dl-pad-button dl-pad-clear", onclick: () => this.remove(Infinity) });
    this.width = el("input", { type: "range", min: 1, max: 5, step: 0.25, value: 2.5, class: "dl-pad-width" });
    this.root = el("div", { class: "dl-pad" },
      el("div", { class: "dl-pad-frame" }, this.canvas, this.hint, this.pen),
      el("div", { class: "dl-pad-tools" }, this.undo, this.clear, this.width));
    host.append(this.root);
    this.canvas.addEventListener("pointerdown", (event) => this.begin(event));
    this.canvas.addEventListener("pointermove", (event) => this.extend(event));
    for (const type of ["pointerup", "pointercancel"]) this.canvas.addEventListener(type, () => this.end());
    this.canvas.addEventListener("keydown", (event) => {
      if ((event.ctrlKey || event.metaKey) && event.key === "z") { event.preventDefault(); this.remove(1); }
      if (event.key === "Delete" || event.key === "Backspace") { event.preventDefault(); this.remove(Infinity); }
      this.press(event);
    });
    this.canvas.addEventListener("focus", () => (this.pen.hidden = !this.canvas.matches(":focus-visible")));
    this.canvas.addEventListener("blur", () => this.lift());
    this.observer = new ResizeObserver(() => this.fit());
    this.observer.observe(this.canvas);
    this.refresh();
  }

  name({ texts, live }) {
    this.live = live;
    this.hint.textContent = texts.hint;
    this.clear.textContent = texts.clear;
    for (const [node, text] of [[this.canvas, texts.name], [this.undo, texts.undo], [this.width, texts.width]]) node.setAttribute("aria-label", text);
    this.undo.title = texts.undo;
    this.width.title = texts.width;
  }

  fit() {
    const side = Math.round(this.canvas.clientWidth * (window.devicePixelRatio || 1));
    if (!side || this.canvas.width === side) return;
    this.canvas.width = this.canvas.height = side;
    this.paint(this.canvas);
  }

  // --- strokes ---

  place(event) {
    const box = this.canvas.getBoundingClientRect();
    return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
  }

  begin(event) {
    this.lift();
    if (event.button !== 0 || this.stroke) return;
    this.canvas.setPointerCapture(event.pointerId);
    this.touchDown(this.place(event));
  }

  touchDown(point) {
    this.stroke = { width: Number(this.width.value) / this.size, points: [point] };
    this.strokes.push(this.stroke);
    this.refresh();
  }

  extend(event) {
    if (!this.stroke || this.down) return;
    const moves = event.getCoalescedEvents?.() ?? [];
    this.lengthen((moves.length ? moves : [event]).map((move) => this.place(move)));
  }

  lengthen(points) {
    this.stroke.points.push(...points);
    this.asked ??= requestAnimationFrame(() => {
      this.asked = undefined;
      this.paint(this.canvas);
    });
    if (this.live && performance.now() - (this.sentAt ?? 0) >= INTERVAL) this.send();
  }

  end() {
    if (!this.stroke) return;
    this.stroke = undefined;
    this.refresh();
    this.send();
  }

  // --- by keyboard: arrows move the pen, Space puts it down and lifts it ---

  press(event) {
    const move = MOVES[event.key];
    if (event.ctrlKey || event.metaKey || event.altKey || !(move || event.key === " ")) return;
    event.preventDefault();
    this.pen.hidden = false;
    if (move) {
      const by = (event.shiftKey ? 3 : 1) / this.size;
      this.at = this.at.map((share, i) => Math.min(1, Math.max(0, share + by * move[i])));
      if (this.down) this.lengthen([this.at]);
    } else if (this.down) this.lift();
    else if (!this.stroke) {
      this.touchDown(this.at);
      this.down = true;
    }
    this.pen.style.left = `${100 * this.at[0]}%`;
    this.pen.style.top = `${100 * this.at[1]}%`;
    this.pen.classList.toggle("dl-pad-down", Boolean(this.down));
  }

  /** The keyboard's stroke ends; a pointer's goes on. */
  lift() {
    this.pen.hidden = document.activeElement !== this.canvas && this.canvas.getRootNode().activeElement !== this.canvas;
    this.pen.classList.remove("dl-pad-down");
    if (!this.down) return;
    this.down = false;
    this.end();
  }

  remove(count) {
    this.lift();
    if (!this.strokes.length) return;
    this.strokes.splice(Math.max(0, this.strokes.length - count));
    this.refresh();
    this.send();
  }

  refresh() {
    this.paint(this.canvas);
    const empty = this.strokes.length === 0;
    this.hint.hidden = !empty;
    this.undo.disabled = this.clear.disabled = empty;
  }

  paint(canvas) {
    const pen = canvas.getContext("2d", { willReadFrequently: canvas === this.fine });
    const side = canvas.width;
    pen.fillStyle = "#000";
    pen.fillRect(0, 0, side, side);
    pen.strokeStyle = "#fff";
    pen.lineCap = pen.lineJoin = "round";
    for (const { width, points } of this.strokes) {
      pen.lineWidth = width * side;
      pen.beginPath();
      pen.moveTo(points[0][0] * side, points[0][1] * side);
      for (let i = 1; i < points.length - 1; i++) { // through the middles, so that corners are round
        const [x, y] = points[i];
        pen.quadraticCurveTo(x * side, y * side, ((x + points[i + 1][0]) / 2) * side, ((y + points[i + 1][1]) / 2) * side);
      }
      const last = points.at(-1);
      pen.lineTo(last[0] * side, last[1] * side);
      pen.stroke();
    }
  }

  // --- to the server ---

  send() {
    this.sentAt = performance.now();
    this.setStateValue("image", this.strokes.length ? this.picture() : null);
  }

  /** The picture as base64 of size x size bytes: the mean of FINE x FINE pixels each. */
  picture() {
    this.paint(this.fine);
    const side = this.fine.width;
    const { data } = this.fine.getContext("2d", { willReadFrequently: true }).getImageData(0, 0, side, side);
    const sums = new Float64Array(this.size * this.size);
    for (let y = 0; y < side; y++)
      for (let x = 0; x < side; x++) sums[Math.floor(y / FINE) * this.size + Math.floor(x / FINE)] += data[4 * (y * side + x)];
    return btoa(String.fromCharCode(...Array.from(sums, (sum) => Math.round(sum / FINE ** 2))));
  }
}

function icon(path) {
  const svg = el("svg:svg", { viewBox: "0 0 16 18", "aria-hidden": "true" });
  svg.append(el("svg:path", { d: path }));
  return svg;
}
