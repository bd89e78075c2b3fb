// A cross that arrow keys move over a plot, for those who click without a pointer. Used by live_plot.js.
import { el, number } from "./common.js";

const [STEP, LEAP] = [0.01, 0.1]; // of the plotting area; with Shift
const MOVES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export class Keys {
  /** `click(left, top)` gets pixels from the upper left corner of the plotting area. */
  constructor(plot, click) {
    this.plot = plot;
    this.click = click;
    this.at = [0.5, 0.5]; // shares of the plotting area
    this.cross = el("div", { class: "dl-cross", hidden: true, "aria-hidden": "true" });
    this.told = el("div", { class: "dl-told", "aria-live": "polite" });
    plot.addEventListener("keydown", (event) => this.enabled && this.press(event));
    plot.addEventListener("focus", () => plot.matches(":focus-visible") && this.show());
    plot.addEventListener("blur", () => (this.cross.hidden = true));
  }

  enable(wanted, { alt, texts }) {
    this.enabled = wanted && Boolean(this.plot._fullLayout.xaxis?.p2d);
    if (this.enabled) this.plot.setAttribute("tabindex", "0");
    else this.plot.removeAttribute("tabindex");
    this.plot.setAttribute("role", this.enabled ? "application" : "img");
    this.plot.setAttribute("aria-label", this.enabled ? `${alt} ${texts.keys}` : alt);
    if (!this.cross.hidden) this.show();
  }

  /** Only for who came by keyboard: after a click of the mouse, arrow keys still scroll the page. */
  press(event) {
    const move = MOVES[event.key];
    if (this.cross.hidden || event.ctrlKey || event.metaKey || event.altKey || !(move || event.key === "Enter")) return;
    event.preventDefault();
    const by = event.shiftKey ? LEAP : STEP;
    if (move) this.at = this.at.map((share, i) => Math.min(1, Math.max(0, share + by * move[i])));
    this.show();
    if (!move) this.click(...this.pixels());
  }

  pixels() {
    const { xaxis, yaxis } = this.plot._fullLayout;
    return [this.at[0] * xaxis._length, this.at[1] * yaxis._length];
  }

  show() {
    if (!this.enabled) return;
    const { xaxis, yaxis } = this.plot._fullLayout;
    const [left, top] = this.pixels();
    this.cross.hidden = false;
    this.cross.style.translate = `${xaxis._offset + left}px ${yaxis._offset + top}px`;
    this.told.textContent = `${number(xaxis.p2d(left))}; ${number(yaxis.p2d(top))}`;
  }
}
