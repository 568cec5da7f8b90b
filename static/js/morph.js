/*
  What a refresh must leave alone. A fragment is morphed into its new form, so that focus, scroll and selection
  survive; these rules keep what only this page knows: open menus, ticked boxes, drawn charts, what is typed.
*/
const OWN_ATTRIBUTES = {
  open: (element) => element.matches("details, dialog"),
  checked: (element) => element.matches("[data-select], [data-select-all], [data-columns-of] input"),
  "aria-selected": (element) => element.matches("tr"),
  "aria-pressed": () => true,
};

export function protectPage() {
  const library = globalThis.Idiomorph;
  if (!library) {
    return;
  }
  library.defaults.ignoreActiveValue = true;
  library.defaults.callbacks.beforeAttributeUpdated = (name, element) =>
    !(name in OWN_ATTRIBUTES && OWN_ATTRIBUTES[name](element));
  library.defaults.callbacks.beforeNodeMorphed = (before, after) =>
    !(before.dataset && "liveKeep" in before.dataset && before.dataset.url === after.dataset?.url);
}

/** Whether somebody is busy in `element`: a field has the focus, text is not sent yet, a dialog is open. */
export function isBusy(element) {
  const active = document.activeElement;
  if (active && element.contains(active) && active.matches("input:not([type=checkbox]), textarea, select, [contenteditable]")) {
    return true;
  }
  return element.querySelector("dialog[open]") !== null || hasUnsentText(element);
}

/** Whether a field inside `element` holds text that differs from what the server sent. */
export function hasUnsentText(element) {
  return [...element.querySelectorAll("textarea, input:not([type=checkbox], [type=radio], [type=hidden])")].some(
    (field) => field.value !== field.defaultValue && !field.closest("[data-filters], [role=search]"),
  );
}
