// The arithmetic of one output number, from the very numbers that Python sent. Knows no DOM.

/** How the channels of the output hang together with those of the input: a filter adds all up, a pooling keeps them apart. */
export const channelsOf = (data, channel) => (data.kernel ? data.input.map((_plane, c) => c) : [channel]);

/** The pixels that output (row, column) looks at in one channel: {i, j, y, x, value, weight}; `padded` where there is no pixel. */
export function terms(data, channel, row, column) {
  const { size, stride, padding, dilation } = data.geometry;
  const plane = data.input[channel];
  const found = [];
  for (let i = 0; i < size; i++) {
    for (let j = 0; j < size; j++) {
      const [y, x] = [row * stride - padding + i * dilation, column * stride - padding + j * dilation];
      const padded = y < 0 || x < 0 || y >= plane.length || x >= plane[0].length;
      found.push({ i, j, y, x, padded, value: padded ? 0 : plane[y][x], weight: data.kernel?.[channel][i][j] });
    }
  }
  return found;
}

/** Σ x·w of one channel. */
export const subtotal = (data, channel, row, column) => terms(data, channel, row, column).reduce((sum, { value, weight }) => sum + value * weight, 0);

/** Which of the terms is the largest (the first of equals); padding is never. */
export function winner(found) {
  const inside = found.filter((term) => !term.padded);
  return inside.reduce((best, term) => (term.value > best.value ? term : best), inside[0]);
}
