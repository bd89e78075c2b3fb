// A small network, evaluated on many points at once. No DOM here; tests hold it to dlcore.mlp, which says what it means.

const EPSILON = 1e-5; // added to the variance of a batch normalisation
const GELU = Math.sqrt(2 / Math.PI);

/** What a feature makes of (x1, x2), by its name in the config. */
export const FEATURES = {
  x1: (x1) => x1,
  x2: (x1, x2) => x2,
  "x1^2": (x1) => x1 * x1,
  "x2^2": (x1, x2) => x2 * x2,
  "x1*x2": (x1, x2) => x1 * x2,
  "sin(x1)": (x1) => Math.sin(x1),
  "sin(x2)": (x1, x2) => Math.sin(x2),
};

export const ACTIVATIONS = {
  linear: (u) => u,
  sigmoid: (u) => 0.5 * Math.tanh(0.5 * u) + 0.5,
  tanh: Math.tanh,
  relu: (u) => (u > 0 ? u : 0),
  leaky_relu: (u) => (u > 0 ? u : 0.01 * u),
  gelu: (u) => 0.5 * u * (1 + Math.tanh(GELU * (u + 0.044715 * u ** 3))),
  sin: Math.sin,
};

export class Network {
  /**
   * @param architecture {inputs: names of features, layers: [{units, activation, batch_norm, residual}]}: the hidden
   *   layers; the output, one linear unit, is added here.
   */
  constructor({ inputs, layers }) {
    this.inputs = inputs;
    this.layers = [...layers, { units: 1, activation: "linear", batch_norm: false, residual: false }];
    let [before, offset] = [inputs.length, 0];
    this.places = this.layers.map(({ units, batch_norm }) => { // where a layer's parameters begin in the flat vector
      const at = { inputs: before, W: offset, b: offset + before * units };
      at.gamma = at.b + units;
      offset = at.gamma + (batch_norm ? 4 * units : 0);
      before = units;
      return at;
    });
    this.size = offset;
  }

  /** Index in the flat vector of the weight from unit i to unit j of `layer`; of its bias for i = -1. */
  index(layer, i, j) {
    const { W, b } = this.places[layer];
    return i < 0 ? b + j : W + i * this.layers[layer].units + j;
  }

  /** The inputs of the network for points (n,), (n,): one row per feature, (features * n,). */
  features(x1, x2) {
    const n = x1.length;
    const rows = new Float32Array(this.inputs.length * n);
    this.inputs.forEach((name, f) => {
      const feature = FEATURES[name];
      for (let p = 0; p < n; p++) rows[f * n + p] = feature(x1[p], x2[p]);
    });
    return rows;
  }

  /**
   * Every layer's values on n points: `[inputs, layer 0, …, output]`, each (units * n,), a unit's values side by side.
   * With `sums`, an array, the weighted sums before the activations are pushed to it.
   */
  forward(parameters, inputs, n, sums) {
    const values = [inputs];
    this.layers.forEach((layer, l) => {
      const before = values[l];
      const after = new Float32Array(layer.units * n);
      const kept = sums && new Float32Array(layer.units * n);
      for (let j = 0; j < layer.units; j++) {
        const z = this.weightedSum(parameters, before, n, l, j);
        kept?.set(z, j * n);
        if (layer.batch_norm) normalise(z, parameters, this.places[l].gamma + j, layer.units);
        activate(after, j * n, z, layer.activation);
      }
      if (layer.residual) for (let k = 0; k < after.length; k++) after[k] += before[k];
      sums?.push(kept);
      values.push(after);
    });
    return values;
  }

  weightedSum(parameters, before, n, l, j) {
    const z = this.scratch?.length === n ? this.scratch : (this.scratch = new Float64Array(n));
    const { inputs, W, b } = this.places[l];
    const { units } = this.layers[l];
    z.fill(parameters[b + j]);
    for (let i = 0; i < inputs; i++) {
      const w = parameters[W + i * units + j];
      if (w === 0) continue;
      for (let p = 0, q = i * n; p < n; p++, q++) z[p] += w * before[q];
    }
    return z;
  }
}

/** As a layer does after training: with the running mean and variance. */
function normalise(z, parameters, at, units) {
  const [gamma, beta, mean, variance] = [0, 1, 2, 3].map((k) => parameters[at + k * units]);
  const scale = gamma / Math.sqrt(variance + EPSILON);
  for (let p = 0; p < z.length; p++) z[p] = (z[p] - mean) * scale + beta;
}

function activate(after, at, z, name) {
  const f = ACTIVATIONS[name];
  for (let p = 0; p < z.length; p++) after[at + p] = f(z[p]);
}

/** The points of a grid of `side` x `side` over [-6, 6] squared, row by row from the top: x1 and x2, (side * side,). */
export function grid(side, reach = 6) {
  const [x1, x2] = [new Float32Array(side * side), new Float32Array(side * side)];
  for (let row = 0; row < side; row++)
    for (let column = 0; column < side; column++) {
      x1[row * side + column] = reach * (-1 + (2 * column + 1) / side);
      x2[row * side + column] = reach * (1 - (2 * row + 1) / side);
    }
  return { x1, x2 };
}

/** The mean loss of outputs against labels (n,), as dlcore.mlp.losses has it. */
export function meanLoss(outputs, labels, loss) {
  const of = {
    mse: (f, y) => (f - y) ** 2,
    cross_entropy: (f, y) => Math.max(0, -y * f) + Math.log1p(Math.exp(-Math.abs(y * f))),
    hinge: (f, y) => Math.max(0, 1 - y * f),
  }[loss];
  return labels.length ? labels.reduce((sum, y, p) => sum + of(outputs[p], y), 0) / labels.length : NaN;
}

/** Right and wrong answers: [[true −, false +], [false −, true +]], rows by the label, from outputs and labels (n,); 0 says +, as dlcore has it. */
export function confusion(outputs, labels) {
  const counts = [[0, 0], [0, 0]];
  for (let p = 0; p < labels.length; p++) counts[labels[p] > 0 ? 1 : 0][outputs[p] >= 0 ? 1 : 0]++;
  return counts;
}
