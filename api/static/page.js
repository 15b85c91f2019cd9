// The page around the element: examples until something is asked, and a title that says what is.

const search = document.querySelector("maillon-search");
const examples = document.querySelector("#examples");
const title = document.title;

function tell() {
  const need = new URLSearchParams(location.search).get("q");
  document.title = need ? `${need.slice(0, 60)} : maillon` : title;
  examples.hidden = Boolean(need);
}

search.addEventListener("maillon-search", tell);
addEventListener("popstate", tell);
tell();
search.focus();
