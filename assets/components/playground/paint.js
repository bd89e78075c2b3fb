// Colours and shapes on canvases: diverging maps around zero (blue, paper, vermilion), links, level lines.
import { colours } from "../theme.js";

const ENDS = { light: [[0, 114, 178], [247, 247, 245], [213, 94, 0]], dark: [[79, 179, 234], [38, 41, 46], [255, 138, 69]] };
const STEPS = 255;
const FAINT = 0.62; // of the full colour

/** The colours of the page at a node, and the diverging map as 256 packed pixels. */
export function palette(node) {
  const page = colours(node);
  const [low, middle, high] = ENDS[page.dark ? "dark" : "light"];
  const pixels = new Uint32Array(STEPS + 1);
  const bytes = new Uint8ClampedArray(pixels.buffer);
  for (let k = 0; k <= STEPS; k++) {
    const t = (2 * k) / STEPS - 1;
    const end = t < 0 ? low : high;
    for (let c = 0; c < 3; c++) bytes[4 * k + c] = middle[c] + (end[c] - middle[c]) * Math.abs(t);
    bytes[4 * k + 3] = 255;
  }
  const css = (rgb) => `rgb(${rgb.join(",")})`;
  return { ...page, pixels, negative: css(low), middle: css(middle), positive: css(high) };
}

const sources = new Map(); // one small canvas per side, overwritten by each heat map

/** Values (side * side,) as a heat map in the box; `scale` says what a value is on the map, from -1 to 1. */
export function heatMap(context, values, side, box, { pixels }, scale, { smooth = true } = {}) {
  if (!sources.has(side)) {
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = side;
    const pen = canvas.getContext("2d");
    const image = pen.createImageData(side, side);
    sources.set(side, { canvas, pen, image, words: new Uint32Array(image.data.buffer) });
  }
  const { canvas, pen, image, words } = sources.get(side);
  for (let p = 0; p < words.length; p++) {
    const share = scale(values[p]);
    words[p] = pixels[share >= 1 ? STEPS : share > -1 ? Math.round((share + 1) * 0.5 * STEPS) : share <= -1 ? 0 : STEPS >> 1];
  }
  pen.putImageData(image, 0, 0);
  context.imageSmoothingEnabled = smooth;
  context.imageSmoothingQuality = "low";
  context.drawImage(canvas, 0, 0, side, side, box.x, box.y, box.width, box.height);
}

/** What a hidden unit's value is on the colour map: its sign and size, without an end. */
export const soft = (value) => Math.tanh(1.2 * value);

/**
 * The output on the map: of a logit the probability (0 to 1 as -1 to 1), of a number its share of `reach`; never in
 * full colour, so that the data stand out from it.
 */
export function answer({ classification, discrete, reach = 1 }) {
  if (discrete) return classification ? (f) => (f > 0 ? FAINT : -FAINT) : (f) => (FAINT * Math.round((4 * f) / reach)) / 4;
  return classification ? (f) => FAINT * Math.tanh(f / 2) : (f) => FAINT * Math.max(-1, Math.min(1, f / reach));
}

/** The line on which values (side * side,) are zero, as a path in the unit square's pixels (marching squares). */
export function zeroLine(context, values, side, box) {
  const at = (row, column) => values[row * side + column];
  const [dx, dy] = [box.width / side, box.height / side];
  const place = (row, column) => [box.x + (column + 0.5) * dx, box.y + (row + 0.5) * dy];
  context.beginPath();
  for (let row = 0; row + 1 < side; row++)
    for (let column = 0; column + 1 < side; column++) {
      const corners = [[row, column], [row, column + 1], [row + 1, column + 1], [row + 1, column]];
      const signs = corners.map(([r, c]) => at(r, c) > 0);
      if (signs[0] === signs[1] && signs[1] === signs[2] && signs[2] === signs[3]) continue;
      const ends = [];
      for (let k = 0; k < 4; k++) {
        const [a, b] = [corners[k], corners[(k + 1) % 4]];
        const [va, vb] = [at(...a), at(...b)];
        if (va > 0 === vb > 0) continue;
        const t = va / (va - vb);
        const [from, to] = [place(...a), place(...b)];
        ends.push([from[0] + t * (to[0] - from[0]), from[1] + t * (to[1] - from[1])]);
      }
      for (let k = 0; k + 1 < ends.length; k += 2) {
        context.moveTo(...ends[k]);
        context.lineTo(...ends[k + 1]);
      }
    }
  context.stroke();
}

/** A canvas as fine as the screen; returns its pen, scaled to CSS pixels. Unchanged sizes keep the picture. */
export function fit(canvas, width, height) {
  const ratio = Math.min(3, globalThis.devicePixelRatio || 1);
  const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== w || canvas.height !== h) {
    [canvas.width, canvas.height] = [w, h];
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
  }
  const context = canvas.getContext("2d");
  context.setTransform(w / width, 0, 0, h / height, 0, 0);
  return context;
}

/** Points of the data: filled by class or value, a white rim for those of training, a dark one for the test's. */
export function dots(context, points, box, page, scale, { test = false, reach = 6 } = {}) {
  const radius = Math.max(2.2, Math.min(3.4, box.width / 85));
  context.lineWidth = 1;
  context.strokeStyle = test ? page.ink : page.dark ? "#101214" : "#fff";
  for (const [x1, x2, y] of points) {
    context.beginPath();
    context.arc(box.x + (box.width * (x1 + reach)) / (2 * reach), box.y + (box.height * (reach - x2)) / (2 * reach), radius, 0, 2 * Math.PI);
    context.fillStyle = pixel(page, scale(y));
    context.fill();
    context.stroke();
  }
}

function pixel({ pixels }, share) {
  const word = pixels[Math.max(0, Math.min(STEPS, Math.round((share + 1) * 0.5 * STEPS)))];
  return `rgb(${word & 255},${(word >> 8) & 255},${(word >> 16) & 255})`;
}
