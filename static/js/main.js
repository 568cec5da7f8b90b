/* Everything a page inside the shell needs. Charts and condition editors are loaded where there are some. */
import "./time.js";
import "./tip.js";
import "./history.js";
import "./toast.js";
import "./dialog.js";
import "./clipboard.js";
import "./filters.js";
import "./tables.js";
import "./live.js";
import "./keyboard.js";

// On a phone the tabs are longer than the screen.
document.querySelectorAll(".tabs [aria-current]").forEach((tab) => {
  tab.parentElement.scrollLeft = tab.offsetLeft - (tab.parentElement.clientWidth - tab.offsetWidth) / 2;
});

/** Tabs fade where more of them are out of sight. */
function fadeTabs(tabs) {
  const rest = tabs.scrollWidth - tabs.clientWidth - tabs.scrollLeft;
  tabs.classList.toggle("has-before", tabs.scrollLeft > 1);
  tabs.classList.toggle("has-after", rest > 1);
}

document.querySelectorAll(".tabs").forEach((tabs) => {
  tabs.addEventListener("scroll", () => fadeTabs(tabs), { passive: true });
  new ResizeObserver(() => fadeTabs(tabs)).observe(tabs);
});

if (document.querySelector("[data-chart]")) {
  import("./charts.js");
}
if (document.querySelector("[data-conditions]")) {
  import("./conditions.js");
}
if (document.querySelector("[data-edit-rows]")) {
  import("./edit-rows.js");
}
if (document.querySelector("[data-pick-search]")) {
  import("./pick-list.js");
}
if (document.querySelector("[data-dialects]")) {
  import("./follow-address.js");
}
