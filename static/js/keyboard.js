/* The keys listed in the help (?). Never while somebody types, never with a modifier held. */
import { toggleDialog } from "./dialog.js";
import { refreshAll } from "./live.js";
import { toggleExact } from "./time.js";

const SEQUENCE_MILLISECONDS = 1200;
let firstKey = "";
let firstAt = 0;

const isTyping = (element) =>
  element.isContentEditable || element.matches("input:not([type=checkbox], [type=radio], [type=button]), textarea, select");

const rows = () => [...document.querySelectorAll("main [data-row]")].filter((row) => row.offsetParent);
const currentRow = () =>
  document.querySelector("main [data-row].is-current") ?? document.activeElement?.closest("main [data-row]") ?? null;

function moveRow(step) {
  const all = rows();
  if (all.length === 0) {
    return;
  }
  const from = all.indexOf(currentRow());
  const to = from < 0 ? (step > 0 ? 0 : all.length - 1) : Math.min(all.length - 1, Math.max(0, from + step));
  all[from]?.classList.remove("is-current");
  all[to].classList.add("is-current");
  all[to].scrollIntoView({ block: "nearest" });
  // The link takes the focus, so that Enter and a screen reader are where the eye is.
  all[to].querySelector("a[href]")?.focus({ preventScroll: true });
}

function acknowledge() {
  const row = currentRow();
  // Without a row only what the page itself is about: never just the first of a list.
  const buttons = [...(row ?? document.querySelector("main")).querySelectorAll("[data-acknowledge]")];
  buttons.find((button) => row || !button.closest("[data-row]"))?.click();
}

/** Down and up go through what is suggested under the search field, and back into it; Enter follows the link. */
function moveSuggestion(search, key) {
  const all = [...search.querySelectorAll("[data-search], [data-suggestion]")];
  const step = { ArrowDown: 1, ArrowUp: -1, Escape: -all.length }[key];
  const from = all.indexOf(document.activeElement);
  if (!step || from < 0 || (key === "Escape" && from === 0)) {
    return false;
  }
  all[Math.min(all.length - 1, Math.max(0, from + step))].focus();
  return true;
}

function go(name) {
  const address = document.body.dataset[`${name}Url`];
  if (address) {
    location.assign(address);
  }
}

const single = {
  "?": () => toggleDialog("help"),
  "/": () => {
    const field = document.querySelector("[data-search]");
    if (field?.offsetParent) {
      field.focus();
      field.select();
    } else {
      document.querySelector(".search-link")?.click();
    }
  },
  j: () => moveRow(1),
  k: () => moveRow(-1),
  a: acknowledge,
  r: refreshAll,
  t: toggleExact,
};
const afterG = { o: () => go("overview"), i: () => go("incidents") };

document.addEventListener("keydown", (event) => {
  if (!(event.target instanceof Element) || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) {
    return;
  }
  const search = event.target.closest(".search");
  if (search && moveSuggestion(search, event.key)) {
    event.preventDefault();
    return;
  }
  if (isTyping(event.target)) {
    if (event.key === "Escape" && event.target.matches("[data-search]")) {
      event.target.blur();
    }
    return;
  }
  if (document.querySelector("dialog[open]") && event.key !== "?") {
    return;
  }
  const now = Date.now();
  const follows = firstKey === "g" && now - firstAt < SEQUENCE_MILLISECONDS;
  firstKey = event.key;
  firstAt = now;
  const action = follows ? afterG[event.key] : single[event.key];
  if (action) {
    event.preventDefault();
    firstKey = "";
    action();
  } else if (event.key === "Enter" && event.target === document.body) {
    currentRow()?.querySelector("a[href]")?.click();
  }
});
