// What the components share: elements without innerHTML, style sheets, numbers as people write them.

const SVG = "http://www.w3.org/2000/svg";

/** A DOM element: `el("button", {class: "dl-x", onclick: f}, "text", child)`. Text is never read as HTML. */
export function el(tag, attributes = {}, ...children) {
  const svg = tag.startsWith("svg:");
  const node = svg ? document.createElementNS(SVG, tag.slice(4)) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter((c) => c !== undefined && c !== null));
  return node;
}

const sheets = new Map();

/** Load a style sheet of this folder once; resolves when it applies. */
export function style(name) {
  if (!sheets.has(name)) {
    const link = el("link", { rel: "stylesheet", href: new URL(name, import.meta.url) });
    sheets.set(name, new Promise((done) => (link.onload = link.onerror = done)));
    document.head.append(link);
  }
  return sheets.get(name);
}

const SUPERSCRIPT = { "-": "⁻", 0: "⁰", 1: "¹", 2: "²", 3: "³", 4: "⁴", 5: "⁵", 6: "⁶", 7: "⁷", 8: "⁸", 9: "⁹" };

/** The same as [text, power]: the power of ten apart where there is one, to be set as a real superscript. */
export function numberParts(value, digits) {
  const [, before, power] = number(value, digits).match(/^(.*?10)([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)$/) ?? [];
  if (!power) return [number(value, digits)];
  return [before, [...power].map((c) => (c === "⁻" ? "−" : Object.keys(SUPERSCRIPT).find((k) => SUPERSCRIPT[k] === c))).join("")];
}

/** A number with `digits` significant digits, a true minus sign, and powers of ten where zeros would be counted. */
export function number(value, digits = 3) {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  if (value === 0) return "0";
  const size = Math.abs(value);
  let text;
  if (size >= 1e6 || size < 1e-4) {
    const [mantissa, exponent] = Number(value).toExponential(digits - 1).split("e");
    const power = [...String(Number(exponent))].map((c) => SUPERSCRIPT[c]).join("");
    text = `${Number(mantissa)} × 10${power}`;
    if (Math.abs(Number(mantissa)) === 1) text = `${mantissa < 0 ? "-" : ""}10${power}`;
  } else {
    const decimals = Math.max(0, digits - 1 - Math.floor(Math.log10(size)));
    text = String(Number(value.toFixed(Math.min(decimals, 12))));
  }
  return text.replace("-", "−");
}

/** A number typed by a person: "0,5", "1e-3", "−2" and "3 × 10⁻⁴" are all understood; NaN if it is none. */
export function parseNumber(text) {
  const powers = Object.fromEntries(Object.entries(SUPERSCRIPT).map(([a, b]) => [b, a]));
  const plain = text
    .trim()
    .replace(/\s*[×x*·]\s*10\^?/, "e")
    .replace(/^([-−]?)10(?=[⁻⁰¹²³⁴⁵⁶⁷⁸⁹])/, "$11e")
    .replace(/[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]/g, (c) => powers[c])
    .replace("−", "-")
    .replace(",", ".");
  return plain === "" ? NaN : Number(plain);
}

/** Whether two trees of plain objects, arrays and typed arrays say the same. */
export function same(a, b) {
  if (a === b || (Number.isNaN(a) && Number.isNaN(b))) return true;
  if (typeof a !== "object" || typeof b !== "object" || !a || !b) return false;
  if (a.length !== undefined) return a.length === b.length && a.every((value, i) => same(value, b[i]));
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => name in b && same(a[name], b[name]));
}

/** Whether motion is unwelcome. */
export const stillness = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

/** A clean-up for Streamlit, which also calls that of an update that was overtaken: only a removed host is left. */
export const whenGone = (host, leave) => () => setTimeout(() => host.isConnected || leave());

/** Whether a script run is going on, as Streamlit says on its root element. */
export const running = () => document.querySelector('[data-testid="stApp"]')?.dataset.testScriptState === "running";
