// The numbers of a figure as a table that can be read aloud, and as a CSV file. Built only when asked for.
import { el, number } from "./common.js";

const ROWS = 200;

export class Table {
  constructor(texts, savePicture) {
    this.texts = texts;
    this.open = false;
    this.toggle = el("button", { type: "button", class: "dl-quiet", "aria-expanded": "false", onclick: () => this.flip() });
    this.save = el("button", { type: "button", class: "dl-quiet", onclick: () => this.download() }, "CSV");
    this.picture = el("button", { type: "button", class: "dl-quiet", onclick: savePicture }, "PNG");
    this.say(texts);
    this.buttons = el("span", { class: "dl-plot-buttons" }, this.toggle, this.save, this.picture);
    this.body = el("div", { class: "dl-table", hidden: true, tabindex: "0" });
  }

  /** The same buttons in other words: the language was changed. */
  say(texts) {
    this.texts = texts;
    this.toggle.textContent = texts.table;
    for (const [button, name] of [[this.save, texts.csv], [this.picture, texts.png]]) {
      button.title = name;
      button.setAttribute("aria-label", name);
    }
  }

  show(source) {
    this.source = source;
    if (this.open) this.fill();
  }

  flip() {
    this.open = !this.open;
    this.toggle.setAttribute("aria-expanded", this.open);
    this.body.hidden = !this.open;
    if (this.open) this.fill();
  }

  /** Columns as [name, values]: those given, else each trace's x, y and z, with shared x not repeated. */
  columns() {
    const { table, data } = this.source;
    if (table) return Object.entries(table);
    return data.filter((trace) => trace.visible !== false).flatMap((trace, i) => {
      const name = trace.name || `${i + 1}`;
      return ["x", "y", "z"].filter((axis) => trace[axis]?.length).map((axis) => [`${name} ${axis}`, flat(trace[axis])]);
    });
  }

  fill() {
    const columns = this.columns();
    const all = Math.max(0, ...columns.map(([, values]) => values.length));
    const head = el("tr", {}, ...columns.map(([name]) => el("th", { scope: "col" }, name)));
    const rows = Array.from({ length: Math.min(all, ROWS) }, (_, i) => el("tr", {}, ...columns.map(([, values]) => el("td", {}, cell(values[i])))));
    const more = this.texts.more.replace("{shown}", ROWS).replace("{all}", all);
    this.body.replaceChildren(
      el("table", {}, el("caption", {}, this.source.alt), el("thead", {}, head), el("tbody", {}, ...rows)),
      ...(all > ROWS ? [el("p", {}, more)] : []),
    );
  }

  download() {
    const columns = this.columns();
    const all = Math.max(0, ...columns.map(([, values]) => values.length));
    const lines = [columns.map(([name]) => quoted(name)).join(",")];
    for (let i = 0; i < all; i++) lines.push(columns.map(([, values]) => quoted(values[i])).join(","));
    const url = URL.createObjectURL(new Blob(["\uFEFF", lines.join("\r\n"), "\r\n"], { type: "text/csv" }));
    el("a", { href: url, download: "figure.csv" }).click();
    setTimeout(() => URL.revokeObjectURL(url), 1000);
  }
}

/** A table of texts: `head` over `rows`, each as long as it. */
export function plainTable(head, rows) {
  const line = (texts, cell) => el("tr", {}, ...texts.map(cell));
  return el("table", {}, line(head, (text) => el("th", { scope: "col" }, text)), ...rows.map((row) => line(row, (text) => el("td", {}, text))));
}

const flat = (values) => (ArrayBuffer.isView(values[0]) || Array.isArray(values[0]) ? Array.from(values, (row) => Array.from(row)).flat() : values);
const cell = (value) => (typeof value === "number" ? number(value, 5) : String(value ?? ""));

/** A CSV field; a text that a spreadsheet would read as a formula is made harmless. */
function quoted(value) {
  if (typeof value === "number" || value === null || value === undefined) return value ?? "";
  const text = /^[=+\-@\t\r]/.test(value) && Number.isNaN(Number(value)) ? `'${value}` : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
