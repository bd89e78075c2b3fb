// What the features are called, as text and as mathematics.
import { el } from "../common.js";

export const NAMES = { x1: "x₁", x2: "x₂", "x1^2": "x₁²", "x2^2": "x₂²", "x1*x2": "x₁x₂", "sin(x1)": "sin x₁", "sin(x2)": "sin x₂" };

/** A feature's name as mathematics. */
export function formula(name) {
  const [, sine, first, index, square, product] = name.match(/^(sin\()?(x)(\d)(\^2)?(\*x2)?\)?$/);
  const x = (n) => [el("i", {}, first), el("sub", {}, n)];
  return [sine ? "sin " : "", ...x(index), square ? el("sup", {}, "2") : "", ...(product ? x("2") : [])];
}
