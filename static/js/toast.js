/* Short words on what was just done. The server sends them in the page, or as an HX-Trigger event named "toast". */
const region = document.getElementById("toasts");
const STAY_MILLISECONDS = 6000;

function arm(toast) {
  if (toast.dataset.toast === "error") {
    return;
  }
  let timer = setTimeout(() => toast.remove(), STAY_MILLISECONDS);
  const hold = () => clearTimeout(timer);
  const release = () => {
    clearTimeout(timer);
    timer = setTimeout(() => toast.remove(), STAY_MILLISECONDS / 2);
  };
  toast.addEventListener("pointerenter", hold);
  toast.addEventListener("pointerleave", release);
  toast.addEventListener("focusin", hold);
  toast.addEventListener("focusout", release);
}

/** Show `text`. Levels: success, info, warning, error (which stays until it is dismissed). */
export function toast(text, level = "info") {
  const template = document.querySelector(`[data-toast-template="${level}"]`);
  if (!region || !template) {
    return;
  }
  const made = template.content.firstElementChild.cloneNode(true);
  made.querySelector("[data-toast-text]").textContent = text;
  region.append(made);
  arm(made);
}

region?.querySelectorAll("[data-toast]").forEach(arm);
document.addEventListener("click", (event) => {
  event.target.closest?.("[data-toast-close]")?.closest("[data-toast]").remove();
});
document.addEventListener("toast", (event) => {
  const { text, level } = event.detail ?? {};
  if (text) {
    toast(text, level);
  }
});
