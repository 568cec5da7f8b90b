/* Dialogs and menus: opened, closed and given back their focus by the browser; this only says when. */
function open(dialog, opener) {
  if (dialog && !dialog.open) {
    dialog.showModal();
    dialog.addEventListener("close", () => opener?.focus?.(), { once: true });
    dialog.querySelector("[data-type-input]")?.focus();
  }
}

/** Open the dialog with this id, or close it when it is open. */
export function toggleDialog(id) {
  const dialog = document.getElementById(id);
  if (dialog?.open) {
    dialog.close();
  } else {
    open(dialog, document.activeElement);
  }
}

document.addEventListener("click", (event) => {
  const opener = event.target.closest?.("[data-dialog-open]");
  if (opener) {
    opener.closest("[data-menu]")?.removeAttribute("open");
    open(document.getElementById(opener.dataset.dialogOpen), opener);
    return;
  }
  event.target.closest?.("[data-dialog-close]")?.closest("dialog")?.close();
  // A click on the backdrop is a click on the dialog itself.
  if (event.target instanceof HTMLDialogElement) {
    event.target.close();
  }
  document.querySelectorAll("[data-menu][open]").forEach((menu) => {
    if (!menu.contains(event.target)) {
      menu.removeAttribute("open");
    }
  });
});

document.addEventListener("keydown", (event) => {
  const menu = event.target.closest?.("[data-menu][open]") ?? document.querySelector("[data-menu][open]");
  if (!menu) {
    return;
  }
  if (event.key === "Escape") {
    menu.removeAttribute("open");
    menu.querySelector("summary").focus();
  } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    const items = [...menu.querySelectorAll(".menu-item")].filter((item) => item.offsetParent);
    const next = items.indexOf(document.activeElement) + (event.key === "ArrowDown" ? 1 : -1);
    event.preventDefault();
    items[(next + items.length) % items.length]?.focus();
  }
});

/* What cannot be undone may ask for a name to be typed first. */
function guard(form) {
  const matches = form.querySelector("[data-type-input]").value.trim() === form.dataset.typeName;
  form.querySelector("[data-dialog-confirm]").disabled = !matches;
}

document.addEventListener("input", (event) => {
  const form = event.target.closest?.("[data-type-name]");
  if (form) {
    guard(form);
  }
});
document.querySelectorAll("[data-type-name]").forEach(guard);
