// What a film says about frame k: pairs [trace, {attribute: values}]. The format is told in ui/live_plot.py.
import { same } from "./common.js";

export function frameAttributes(frames, k, only) {
  return Object.entries(frames.traces).filter(([index]) => !only || only.includes(Number(index))).map(([index, attributes]) => [
    Number(index),
    Object.fromEntries(Object.entries(attributes).map(([name, rule]) => [name, valuesAt(rule, k)])),
  ]);
}

/** Whether a plot's new data moves only what the film drives anyway: then the fast painter can show it. */
export function onlyMoved(before, after) {
  if (!before?.frames || !after.frames || !same(before.layout, after.layout) || before.height !== after.height || before.click !== after.click) return false;
  const driven = (index) => Object.keys(after.frames.traces[index] ?? {});
  const rest = (trace, index) => Object.fromEntries(Object.entries(trace).filter(([name]) => !driven(index).includes(name)));
  return after.data.length === before.data.length && after.data.every((trace, i) => same(rest(trace, i), rest(before.data[i], i)));
}

export function valuesAt(rule, k) {
  if (rule.grow) return rule.grow.slice(0, k + 1);
  if (rule.at) {
    const row = rule.at[Math.min(k, rule.at.length - 1)];
    return typeof row === "number" || row === null ? [row] : row;
  }
  const [coefficients, basis] = rule.mix;
  const weights = coefficients[Math.min(k, coefficients.length - 1)];
  return Float64Array.from(basis, (row) => row.reduce((sum, value, d) => sum + value * weights[d], 0));
}
