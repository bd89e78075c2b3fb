// Loss of training and test over the epochs, on a logarithmic scale, and where the playhead stands.
import { el, number } from "../common.js";
import { Table } from "../table.js";
import { fit } from "./paint.js";

const HIGHEST = 2; // powers of ten; a loss that leaves the picture has diverged
const PAD = { left: 34, right: 8, top: 6, bottom: 16 };

export class Curves {
  /** `seek(step)` is called when an epoch of the curve is clicked. */
  constructor(texts, { seek }) {
    this.texts = texts;
    this.canvas = el("canvas", {
      class: "dl-loss-canvas", role: "img", onpointermove: (event) => this.hover(event.offsetX), onpointerleave: () => this.hover(),
      onclick: (event) => this.frames?.length && seek(this.nearest(event.offsetX).step),
    });
    this.tip = el("div", { class: "dl-loss-tip", hidden: true });
    this.values = ["train", "test"].map((name) => el("b", { class: `dl-loss-${name}` }));
    this.table = new Table(texts, () => this.savePicture());
    this.root = el("div", { class: "dl-loss" },
      el("div", { class: "dl-loss-now" }, el("span", {}, `${texts.train_loss} `, this.values[0]), el("span", {}, `${texts.test_loss} `, this.values[1])),
      this.canvas, this.tip, el("div", { class: "dl-loss-foot" }, this.table.buttons), this.table.body);
  }

  /** @param frames all that are revealed; @param now the one that is shown. */
  draw(frames, now, page) {
    this.values.forEach((node, k) => (node.textContent = now ? number(k ? now.test_loss : now.train_loss, 3) : "–"));
    const [width, height] = [this.root.clientWidth, this.canvas.parentElement.clientHeight ? 92 : 0];
    if (!width || !height) return;
    Object.assign(this, { frames, now, page });
    const context = fit(this.canvas, width, height);
    context.clearRect(0, 0, width, height);
    const scale = (this.drawn = this.scale(frames, width, height));
    this.axes(context, scale, width, height, page);
    this.line(context, frames, "test_loss", scale, page.positive);
    this.line(context, frames, "train_loss", scale, page.negative);
    if (now) this.marker(context, now, scale, page, height);
    this.read(context, scale, page, height);
    this.tell(frames);
  }

  /** The kept frame nearest to a place on the canvas. */
  nearest(place) {
    const far = (frame) => Math.abs(this.drawn.x(frame.epoch) - place);
    return this.frames.reduce((best, frame) => (far(frame) < far(best) ? frame : best));
  }

  hover(place) {
    this.over = place;
    if (this.frames) this.draw(this.frames, this.now, this.page);
  }

  /** The losses of the epoch under the pointer. */
  read(context, scale, page, height) {
    this.tip.hidden = this.over === undefined || !this.frames.length;
    if (this.tip.hidden) return;
    const at = this.nearest(this.over);
    const [x, half] = [scale.x(at.epoch), this.root.clientWidth / 2];
    this.marker(context, at, scale, page, height);
    this.tip.style.cssText = x < half ? `left: ${x + 6}px` : `right: ${this.root.clientWidth - x + 6}px`;
    this.tip.replaceChildren(`${this.texts.epoch} ${number(at.epoch, 4)}  `,
      ...["train", "test"].flatMap((part) => [el("b", { class: `dl-tip-${part}` }, number(at[`${part}_loss`], 3)), " "]));
  }

  /** What the canvas says to those who do not see it; not at every frame. */
  tell(frames) {
    if (performance.now() < (this.toldAt ?? 0) + 1000) return;
    this.toldAt = performance.now();
    const last = frames.at(-1);
    if (!last) return;
    this.canvas.setAttribute("aria-label", this.texts.curves.replace("{epoch}", last.epoch).replace("{train}", number(last.train_loss)).replace("{test}", number(last.test_loss)));
    const column = (name) => frames.map((frame) => frame[name]);
    this.table.show({ table: { [this.texts.epoch]: column("epoch"), [this.texts.train_loss]: column("train_loss"), [this.texts.test_loss]: column("test_loss") }, data: [], alt: this.texts.curves_title });
  }

  /** The axis of epochs doubles when it is full, so that the curve seldom moves. */
  scale(frames, width, height) {
    const losses = frames.flatMap((frame) => [frame.train_loss, frame.test_loss]).filter((loss) => loss > 0 && Number.isFinite(loss));
    const low = Math.max(-6, Math.floor(Math.log10(Math.min(0.1, ...losses)) * 2) / 2);
    const high = Math.min(HIGHEST, Math.max(Math.log10(Math.max(1, ...losses)), low + 0.5));
    const last = frames.at(-1)?.epoch ?? 0;
    let most = 100;
    while (most < last) most *= 2;
    const [w, h] = [width - PAD.left - PAD.right, height - PAD.top - PAD.bottom];
    return { most, low, high, x: (epoch) => PAD.left + (w * epoch) / most, y: (loss) => PAD.top + h * Math.min(1, Math.max(0, (high - Math.log10(Math.max(loss, 1e-12))) / (high - low))) };
  }

  axes(context, { most, low, high, x, y }, width, height, page) {
    context.font = `10px ${page.font}`;
    context.fillStyle = page.ink;
    context.strokeStyle = page.ink;
    context.lineWidth = 0.5;
    context.textAlign = "right";
    context.textBaseline = "middle";
    for (let power = Math.ceil(low); power <= high; power++) {
      const at = y(10 ** power);
      context.globalAlpha = 0.18;
      context.beginPath();
      context.moveTo(PAD.left, at);
      context.lineTo(width - PAD.right, at);
      context.stroke();
      context.globalAlpha = 0.75;
      context.fillText(number(10 ** power), PAD.left - 5, at);
    }
    context.textBaseline = "alphabetic";
    context.fillText(`${most.toLocaleString("en-US")}`, width - PAD.right, height - 4);
    context.textAlign = "left";
    context.fillText("0", PAD.left, height - 4);
    context.textAlign = "center";
    context.fillText(this.texts.epoch, (PAD.left + width - PAD.right) / 2, height - 4);
    context.globalAlpha = 1;
  }

  line(context, frames, name, { x, y }, color) {
    context.beginPath();
    let open = false;
    for (const frame of frames) {
      const loss = frame[name];
      if (Number.isFinite(loss)) context[open ? "lineTo" : "moveTo"](x(frame.epoch), y(loss));
      open = Number.isFinite(loss);
    }
    context.strokeStyle = color;
    context.lineWidth = 1.8;
    context.lineJoin = "round";
    context.stroke();
  }

  marker(context, now, { x, y }, page, height) {
    context.strokeStyle = page.ink;
    context.globalAlpha = 0.5;
    context.lineWidth = 1;
    context.beginPath();
    context.moveTo(x(now.epoch), PAD.top);
    context.lineTo(x(now.epoch), height - PAD.bottom);
    context.stroke();
    context.globalAlpha = 1;
    for (const [name, color] of [["test_loss", page.positive], ["train_loss", page.negative]]) {
      if (!Number.isFinite(now[name])) continue;
      context.beginPath();
      context.arc(x(now.epoch), y(now[name]), 3, 0, 2 * Math.PI);
      context.fillStyle = color;
      context.fill();
    }
  }

  savePicture() {
    el("a", { href: this.canvas.toDataURL("image/png"), download: "loss.png" }).click();
  }
}
