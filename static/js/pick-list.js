/* A long list to tick: search in it. What the search hides is not taken by "select all". */
import { showSelection } from "./tables.js";

const list = document.querySelector("[data-pick-search]");
const search = list.querySelector("input");
const rows = [...document.querySelectorAll("[data-pick-row]")];
const none = document.querySelector("[data-pick-none]");

function filter() {
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  rows.forEach((row) => {
    row.hidden = !words.every((word) => row.dataset.pickRow.includes(word));
  });
  none.hidden = rows.some((row) => !row.hidden);
  showSelection(search.form);
}

list.hidden = false;
search.addEventListener("input", (event) => {
  // It is no part of the form: what is typed here changes no price.
  event.stopPropagation();
  filter();
});
search.addEventListener("keydown", (event) => {
  if (event.key === "Enter") {
    event.preventDefault();
  }
});
filter();
