// Replaces the query of the address line, at most four times a second (browsers limit how often it may change).
// Python side: ui/address.py.
const GAP = 250; // ms
const PATIENCE = 8; // gaps: Streamlit may write a new page's path after that page has been drawn

let timer = null;
let wanted = null;

const plain = (path) => path.replace(/\/$/, "");

function replace() {
  timer = null;
  const url = new URL(window.location.href);
  if (plain(url.pathname) !== plain(wanted.path)) return wait(); // the page was left meanwhile, or is about to be there
  if (url.search === wanted.search) return;
  url.search = wanted.search;
  window.history.replaceState(window.history.state, "", url);
}

function wait() {
  if (wanted.patience-- > 0) timer = window.setTimeout(replace, GAP);
}

export default function (component) {
  const { path, query } = component.data;
  wanted = { path, search: "?" + query, patience: PATIENCE };
  if (timer === null) timer = window.setTimeout(replace, GAP);
}
