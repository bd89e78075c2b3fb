// Feature maps, filters and images as pixels on a canvas. Scales come from Python (dlcore/figures), so that all pictures agree.
import { el } from "./common.js";

/** A scale of hex colours as 256 RGB triples. */
export function ramp(colours) {
  const rgb = colours.map((c) => [1, 3, 5].map((i) => parseInt(c.slice(i, i + 2), 16)));
  return Array.from({ length: 256 }, (_v, i) => {
    const place = (i / 255) * (rgb.length - 1);
    const low = Math.min(rgb.length - 2, Math.floor(place));
    return rgb[low].map((c, j) => Math.round(c + (rgb[low + 1][j] - c) * (place - low)));
  });
}

/** What turns a layer's whole numbers (0 … most for low … high) into colours: around zero where there are negative ones. */
export function colouring({ low, high }, most, scales) {
  const signed = low < 0;
  const size = Math.max(Math.abs(low), Math.abs(high)) || 1;
  const table = signed ? scales.diverging : scales.sequential;
  const value = (q) => low + (q / most) * (high - low);
  const share = (v) => (signed ? (v / size + 1) / 2 : v / size);
  return { value, signed, least: signed ? -size : 0, most: size, table, colour: (q) => table[Math.round(255 * share(value(q)))] };
}

/** Paint `rows` (arrays of whole numbers) into a picture of its own size. */
export function picture(rows, colour) {
  const width = rows[0].length;
  return filled(width, rows.length, (x, y) => colour(rows[y][x]));
}

/** An image of channels of bytes, grey or in colour. */
export function photo(channels) {
  const [red, green, blue] = channels.length === 3 ? channels : [channels[0], channels[0], channels[0]];
  return filled(red[0].length, red.length, (x, y) => [red[y][x], green[y][x], blue[y][x]]);
}

/** A list of numbers as cells, `columns` a row; what is left over stays clear. */
export function cells(values, columns, colour) {
  return filled(columns, Math.ceil(values.length / columns), (x, y) => {
    const i = y * columns + x;
    return i < values.length ? colour(values[i]) : undefined;
  });
}

function filled(width, height, at) {
  const canvas = el("canvas", { width, height });
  const context = canvas.getContext("2d");
  const pixels = context.createImageData(width, height);
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i += 4) {
      const rgb = at(x, y);
      if (!rgb) continue;
      [pixels.data[i], pixels.data[i + 1], pixels.data[i + 2]] = rgb;
      pixels.data[i + 3] = 255;
    }
  }
  context.putImageData(pixels, 0, 0);
  return canvas;
}

/** Make a canvas `width` × `height` CSS pixels large, sharp on any screen; returns its context in CSS pixels, cleared. */
export function sized(canvas, width, height) {
  const ratio = window.devicePixelRatio || 1;
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  const [wide, tall] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== wide || canvas.height !== tall) [canvas.width, canvas.height] = [wide, tall];
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  context.imageSmoothingEnabled = false;
  return context;
}

/** Where `count` tiles of `width` × `height` numbers go in `room` CSS pixels: columns, size of a tile, gap, whole size. */
export function tiling(count, width, height, room, { most = 150, tall = 420, gap = 4 } = {}) {
  let best = { tile: 0 };
  for (let columns = 1; columns <= count; columns++) {
    const rows = Math.ceil(count / columns);
    const wide = (room - gap * (columns - 1)) / columns;
    const tile = Math.min(most, wide, ((tall - gap * (rows - 1)) / rows) * (width / height));
    if (tile >= best.tile - 0.01) best = { columns, rows, tile };
  }
  const tile = Math.max(6, Math.floor(best.tile));
  const side = Math.max(6, Math.round((tile * height) / width));
  const { columns, rows } = best;
  return { columns, rows, tile, side, gap, width: columns * tile + (columns - 1) * gap, height: rows * side + (rows - 1) * gap };
}

/** A frame in the colour that the canvas's style says. */
export function frame(context, [x, y], width, height, line = 2) {
  context.strokeStyle = getComputedStyle(context.canvas).color;
  context.lineWidth = line;
  context.strokeRect(x + line / 2, y + line / 2, width - line, height - line);
}

/** Upper left corner of tile `index`. */
export function corner(plan, index) {
  return [(index % plan.columns) * (plan.tile + plan.gap), Math.floor(index / plan.columns) * (plan.side + plan.gap)];
}
