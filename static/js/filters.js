/* A filter bar submits itself, and leaves empty parameters out of the URL. */
const WAIT_MILLISECONDS = 350;
const timers = new WeakMap();

function submit(form) {
  const parameters = new URLSearchParams();
  new FormData(form).forEach((value, name) => {
    if (String(value).trim()) {
      parameters.append(name, String(value).trim());
    }
  });
  const query = parameters.toString();
  const address = form.action.split("?")[0] + (query ? `?${query}` : "");
  if (address !== location.href) {
    location.assign(address);
  }
}

document.querySelectorAll("[data-filters]").forEach((form) => {
  form.querySelector("[data-filters-submit]").hidden = true;
});
document.addEventListener("submit", (event) => {
  if (event.target.matches("[data-filters]")) {
    event.preventDefault();
    submit(event.target);
  }
});
document.addEventListener("change", (event) => {
  const form = event.target.closest?.("[data-filters]");
  if (form && event.target.matches("select")) {
    submit(form);
  }
});
document.addEventListener("search", (event) => {
  // The little cross of a search field.
  const form = event.target.closest?.("[data-filters]");
  if (form) {
    clearTimeout(timers.get(form));
    timers.set(form, setTimeout(() => submit(form), WAIT_MILLISECONDS));
  }
});
