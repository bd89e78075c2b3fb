// Replaces the query of the address line, at most four times a second (browsers limit how often it may change).
let timer = null;
let wanted = null;

function replace() {
  timer = null;
  const url = new URL(window.location.href);
  if (url.pathname !== wanted.path || url.search === wanted.search) return; // the page was left meanwhile
  url.search = wanted.search;
  window.history.replaceState(window.history.state, "", url);
}

export default function (component) {
  const { data } = component;
  wanted = { path: window.location.pathname, search: "?" + data.query };
  if (timer === null) timer = window.setTimeout(replace, 250);
}
