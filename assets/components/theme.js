// Plotly in the page's colours, light and dark.

// The palette by meaning (dlcore/figures) and its lighter twins, which keep a contrast of 4.5 : 1 on the dark page.
const ON_DARK = {
  "#0072b2": "#4fb3ea", "#d55e00": "#ff8a45", "#009e73": "#2ecc9a", "#cc79a7": "#e08fbd", "#e69f00": "#f2b134", "#56b4e9": "#c3e6fb", "#9467bd": "#b99ae0", "#4a3aa7": "#a79bf5", "#808080": "#a3a3a3",
};

/** The page's colours as Streamlit says them around a component. */
export function colours(node) {
  const css = getComputedStyle(node);
  const read = (name) => css.getPropertyValue(name).trim();
  const ink = read("--st-text-color") || "#222";
  const paper = read("--st-background-color") || "#fff";
  return { ink, paper, dark: luminance(rgb(paper)) < 0.4, font: read("--dl-sans") || read("--st-font") || "sans-serif" };
}

/** Red, green and blue (0 to 255) of any CSS colour. */
export function rgb(colour) {
  const context = (rgb.context ??= document.createElement("canvas").getContext("2d", { willReadFrequently: true }));
  context.fillStyle = colour;
  context.fillRect(0, 0, 1, 1);
  return [...context.getImageData(0, 0, 1, 1).data].slice(0, 3);
}

/** How light a colour is, 0 to 1. */
export const luminance = ([red, green, blue]) => (0.3 * red + 0.59 * green + 0.11 * blue) / 255;

/** A layout template: what a figure does not say itself. */
export function template({ ink, paper, dark, font }) {
  const grid = mix(ink, paper, 0.1);
  const line = mix(ink, paper, 0.35);
  const quiet = mix(ink, paper, 0.75);
  const axis = {
    gridcolor: grid, linecolor: line, zerolinecolor: mix(ink, paper, 0.22), zerolinewidth: 1, tickcolor: line, ticks: "outside", ticklen: 4,
    tickfont: { color: quiet, size: 12 }, title: { font: { color: ink, size: 13 }, standoff: 8 }, automargin: true, exponentformat: "power", minexponent: 4,
  };
  const depth = { ...axis, backgroundcolor: "rgba(0,0,0,0)", showbackground: false, ticks: "" };
  const bar = { colorbar: { outlinewidth: 0, tickfont: axis.tickfont, thickness: 12 } };
  return {
    layout: {
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", font: { family: font, color: ink, size: 13 },
      xaxis: axis, yaxis: axis, scene: { xaxis: depth, yaxis: depth, zaxis: depth }, coloraxis: bar,
      hoverlabel: { bgcolor: paper, bordercolor: line, font: { family: font, color: ink, size: 13 } },
      annotationdefaults: { font: { color: ink, size: 13 }, arrowcolor: line }, legend: { bgcolor: "rgba(0,0,0,0)" },
      modebar: { bgcolor: "rgba(0,0,0,0)", color: mix(ink, paper, 0.4), activecolor: ink },
      colorway: Object.entries(ON_DARK).map(([light, onDark]) => (dark ? onDark : light)),
    },
    data: Object.fromEntries(["heatmap", "contour", "surface"].map((type) => [type, [bar]])),
  };
}

/** A colour between two: `share` of the first over the second, channel by channel. */
export function mix(ink, paper, share) {
  const [over, under] = [rgb(ink), rgb(paper)];
  return `rgb(${over.map((channel, i) => Math.round(channel * share + under[i] * (1 - share))).join(",")})`;
}

/** The figure's own palette colours, lightened where the page is dark. Arrays of numbers are left alone. */
export function recolour(value, dark) {
  if (!dark) return value;
  if (typeof value === "string") return ON_DARK[value.toLowerCase()] ?? value;
  if (value === null || typeof value !== "object" || ArrayBuffer.isView(value)) return value;
  if (Array.isArray(value)) return typeof value[0] === "number" || ArrayBuffer.isView(value[0]) ? value : value.map((v) => recolour(v, dark));
  return Object.fromEntries(Object.entries(value).map(([name, v]) => [name, name === "colorscale" ? v : recolour(v, dark)]));
}
