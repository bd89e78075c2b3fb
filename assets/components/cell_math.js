// One step of RNN, LSTM and GRU and the way back through time, as in dlcore/cells.py, to which a browser test holds it. Knows no DOM.

export const GATES = { rnn: ["a"], lstm: ["i", "f", "g", "o"], gru: ["r", "z", "n"] }; // blocks of rows, in torch's order
export const SIGNED = new Set(["a", "g", "n"]); // through tanh; the others through σ
export const KEEPING = { lstm: "f", gru: "z" };

export const sigmoid = (a) => 0.5 + 0.5 * Math.tanh(0.5 * a);
const dot = (row, x) => x.reduce((sum, value, j) => sum + row[j] * value, 0);
const zeros = (n) => new Array(n).fill(0);

/** Everything that one step computes; the new state is h_new (and c_new). `held` {gate: value}. */
export function step(cell, params, x, h, c, held = {}) {
  const H = h.length;
  const row = (gate, u) => GATES[cell].indexOf(gate) * H + u;
  const fromX = (gate, u) => dot(params.weight_ih_l0[row(gate, u)], x) + params.bias_ih_l0[row(gate, u)];
  const fromH = (gate, u) => dot(params.weight_hh_l0[row(gate, u)], h) + params.bias_hh_l0[row(gate, u)];
  const all = (f) => h.map((_value, u) => f(u));
  const values = { x, h };
  for (const gate of GATES[cell]) {
    const reset = cell === "gru" && gate === "n"; // r stands between n and what it sees of h
    if (reset) values.h_n = all((u) => fromH("n", u));
    values[`a_${gate}`] = all((u) => fromX(gate, u) + (reset ? values.r[u] * values.h_n[u] : fromH(gate, u)));
    values[gate] = values[`a_${gate}`].map((a) => held[gate] ?? (SIGNED.has(gate) ? Math.tanh(a) : sigmoid(a)));
  }
  if (cell === "lstm") {
    values.c = c;
    values.c_new = all((u) => values.f[u] * c[u] + values.i[u] * values.g[u]);
    values.h_new = all((u) => values.o[u] * Math.tanh(values.c_new[u]));
  } else if (cell === "gru") values.h_new = all((u) => (1 - values.z[u]) * values.n[u] + values.z[u] * h[u]);
  else values.h_new = values.a;
  return values;
}

/** The gates that are held in step t: `holds` {gate: [first step, value]}. */
export const heldAt = (holds, t) => Object.fromEntries(Object.entries(holds).filter(([, [first]]) => first <= t).map(([gate, [, value]]) => [gate, value]));

/** All steps over X, from a state of zeros. */
export function forward(cell, params, X, holds = {}) {
  let h = zeros(params.weight_hh_l0[0].length);
  let c = h;
  return X.map((x, t) => {
    const values = step(cell, params, x, h, c, heldAt(holds, t));
    h = values.h_new;
    c = values.c_new ?? c;
    return values;
  });
}

/** ∂h_T[unit] by the belt (c of an LSTM, h of the others) after each step, and what of it came straight along the belt: {total, straight} (T, H) each. */
export function backward(cell, params, steps, unit, holds = {}) {
  const [T, H] = [steps.length, steps[0].h.length];
  const [total, straight] = [[], []];
  let dh = zeros(H).map((_value, u) => Number(u === unit));
  let dc = zeros(H);
  let along = zeros(H); // what came back on the belt itself
  for (let t = T - 1; t >= 0; t--) {
    const v = steps[t];
    const free = (gate) => (gate in heldAt(holds, t) ? 0 : 1); // nothing passes through a gate that is held
    const each = (f) => v.h.map((_value, u) => f(u));
    if (cell === "lstm") dc = each((u) => dc[u] + dh[u] * v.o[u] * (1 - Math.tanh(v.c_new[u]) ** 2));
    total[t] = cell === "lstm" ? dc : dh;
    straight[t] = along;
    const d = gates(cell, v, dh, dc, each, free);
    const kept = { rnn: () => 0, lstm: (u) => v.f[u] * dc[u], gru: (u) => v.z[u] * dh[u] }[cell];
    along = each(kept);
    const through = each((u) => GATES[cell].reduce((sum, gate, k) => sum + d[gate].reduce((part, value, j) => part + params.weight_hh_l0[k * H + j][u] * value, 0), 0));
    if (cell === "lstm") [dc, dh] = [along, through];
    else dh = each((u) => along[u] + through[u]);
  }
  return { total, straight };
}

/** The gradient by what each gate's row makes of h. */
function gates(cell, v, dh, dc, each, free) {
  if (cell === "rnn") return { a: each((u) => dh[u] * (1 - v.h_new[u] ** 2)) };
  if (cell === "lstm") return {
    i: each((u) => free("i") * dc[u] * v.g[u] * v.i[u] * (1 - v.i[u])),
    f: each((u) => free("f") * dc[u] * v.c[u] * v.f[u] * (1 - v.f[u])),
    g: each((u) => free("g") * dc[u] * v.i[u] * (1 - v.g[u] ** 2)),
    o: each((u) => free("o") * dh[u] * Math.tanh(v.c_new[u]) * v.o[u] * (1 - v.o[u])),
  };
  const n = each((u) => free("n") * dh[u] * (1 - v.z[u]) * (1 - v.n[u] ** 2));
  return {
    r: each((u) => free("r") * n[u] * v.h_n[u] * v.r[u] * (1 - v.r[u])),
    z: each((u) => free("z") * dh[u] * (v.h[u] - v.n[u]) * v.z[u] * (1 - v.z[u])),
    n: each((u) => n[u] * v.r[u]),
  };
}

/** The share of the belt that a step keeps, and what it adds, for one unit. The RNN has no belt and keeps nothing. */
export function keptAndAdded(cell, v, u) {
  if (cell === "lstm") return [v.f[u], v.i[u] * v.g[u]];
  if (cell === "gru") return [v.z[u], (1 - v.z[u]) * v.n[u]];
  return [0, v.h_new[u]];
}

/** What step s put on the belt of a unit and is still there after step t: [t][s], s ≤ t; over s they add up to the belt. */
export function shares(cell, steps, u) {
  const found = [];
  steps.forEach((v, t) => {
    const [keep, added] = keptAndAdded(cell, v, u);
    found.push([...(found[t - 1] ?? []).map((share) => keep * share), added]);
  });
  return found;
}

export const belt = (cell, v) => (cell === "lstm" ? v.c_new : v.h_new);
