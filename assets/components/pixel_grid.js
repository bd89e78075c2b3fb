// A picture whose every pixel is seen, with its number where it fits, on a canvas.
import { luminance, rgb } from "./theme.js";

const LEAST_FOR_NUMBERS = 21; // px of a pixel

export class PixelGrid {
  constructor(canvas) {
    this.canvas = canvas;
  }

  /** @param cell side of a pixel, in px. @param values rows of numbers. */
  size(rows, columns, cell) {
    const ratio = window.devicePixelRatio || 1;
    Object.assign(this, { rows, columns, cell, ratio });
    const [width, height] = [columns * cell + 1, rows * cell + 1];
    if (this.canvas.width !== Math.round(width * ratio) || this.canvas.height !== Math.round(height * ratio)) {
      this.canvas.width = Math.round(width * ratio);
      this.canvas.height = Math.round(height * ratio);
      this.canvas.style.width = `${width}px`;
      this.canvas.style.height = `${height}px`;
    }
    this.context = this.canvas.getContext("2d");
    this.context.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.context.clearRect(0, 0, width, height);
  }

  /** One pixel: its colour (none: left empty), its number, and whether it is only padding. */
  paint(row, column, { colour, text, padded }, line) {
    const { context, cell } = this;
    const [x, y] = [column * cell, row * cell];
    if (colour) {
      context.fillStyle = colour;
      context.fillRect(x, y, cell + 0.5, cell + 0.5);
    }
    if (padded) this.hatch(x, y, line);
    context.strokeStyle = line;
    context.lineWidth = cell > 7 ? 1 : 0.35;
    context.strokeRect(x + 0.5, y + 0.5, cell, cell);
    if (text && cell >= LEAST_FOR_NUMBERS) {
      context.fillStyle = luminance(rgb(colour)) > 0.5 ? "#222" : "#fff";
      context.font = `${Math.min(13, Math.round(cell * (text.length > 3 ? 0.36 : 0.42)))}px ${this.font}`;
      context.textAlign = "center";
      context.textBaseline = "middle";
      context.fillText(text, x + cell / 2 + 0.5, y + cell / 2 + 1);
    }
  }

  hatch(x, y, line) {
    const { context, cell } = this;
    context.save();
    context.beginPath();
    context.rect(x, y, cell, cell);
    context.clip();
    context.strokeStyle = line;
    context.lineWidth = 1;
    context.beginPath();
    for (let k = -cell; k < cell; k += Math.max(4, cell / 4)) {
      context.moveTo(x + k, y + cell);
      context.lineTo(x + k + cell, y);
    }
    context.stroke();
    context.restore();
  }

  /** A frame round a block of pixels, with a halo so that it is seen on any ground. */
  frame(row, column, rows, columns, colour, paper, width = 2.5) {
    const { context, cell } = this;
    const box = [column * cell + 0.5, row * cell + 0.5, columns * cell, rows * cell];
    for (const [style, line] of [[paper, width + 2.5], [colour, width]]) {
      context.strokeStyle = style;
      context.lineWidth = line;
      context.strokeRect(...box);
    }
  }

  /** Which pixel is at a pointer's place; undefined outside. */
  at(event) {
    const box = this.canvas.getBoundingClientRect();
    const [row, column] = [Math.floor((event.clientY - box.top) / this.cell), Math.floor((event.clientX - box.left) / this.cell)];
    return row >= 0 && column >= 0 && row < this.rows && column < this.columns ? [row, column] : undefined;
  }
}
