// What a film says about frame k: pairs [trace, {attribute: values}]. The format is told in ui/live_plot.py.

export function frameAttributes(frames, k, only) {
  return Object.entries(frames.traces).filter(([index]) => !only || only.includes(Number(index))).map(([index, attributes]) => [
    Number(index),
    Object.fromEntries(Object.entries(attributes).map(([name, rule]) => [name, valuesAt(rule, k)])),
  ]);
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
