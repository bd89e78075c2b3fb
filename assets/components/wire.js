// The inverse of ui.components.pack: a JSON tree, then the arrays' own bytes, each on a multiple of 8.

const TYPES = {
  f4: Float32Array, f8: Float64Array, i1: Int8Array, u1: Uint8Array, i2: Int16Array, u2: Uint16Array, i4: Int32Array, u4: Uint32Array,
};

/** The tree in `bytes` (Uint8Array); a 2-D array becomes an array of typed rows, as Plotly wants it. */
export function unpack(bytes) {
  const aligned = bytes.slice(); // typed arrays need offsets that are multiples of their item size
  const size = new DataView(aligned.buffer).getUint32(0, true);
  const tree = JSON.parse(new TextDecoder().decode(aligned.subarray(4, 4 + size)));
  let offset = Math.ceil((4 + size) / 8) * 8;
  const arrays = []; // in the order in which Python met them, which is the order of the tree
  const lower = (value) => {
    if (Array.isArray(value)) return value.map(lower);
    if (value === null || typeof value !== "object") return value;
    if (value.$same !== undefined) return arrays[value.$same];
    if (!value.$) {
      for (const name in value) value[name] = lower(value[name]);
      return value;
    }
    const [type, ...shape] = value.$;
    const count = shape.reduce((a, b) => a * b, 1);
    const flat = new TYPES[type](aligned.buffer, offset, count);
    offset += Math.ceil(flat.byteLength / 8) * 8;
    arrays.push(shaped(flat, shape));
    return arrays.at(-1);
  };
  return lower(tree);
}

function shaped(flat, shape) {
  if (shape.length === 0) return flat[0];
  if (shape.length === 1) return flat;
  const inner = shape.slice(1);
  const size = inner.reduce((a, b) => a * b, 1);
  return Array.from({ length: shape[0] }, (_, row) => shaped(flat.subarray(row * size, (row + 1) * size), inner));
}
