/* The fields of a provider follow its dialect: where it is, what to enter, its key, its vendor's status page. What
   somebody typed stays; a status page that was suggested goes when another server than the vendor's own is asked. */
const select = document.querySelector("[data-dialects]");
const options = [...select.options].map((option) => option.dataset);
const field = (name) => select.form.elements.namedItem(name);
const address = field("base_url");
const page = field("status_page_url");
const components = field("status_components");
const chosen = () => select.selectedOptions[0].dataset;

function say(input, help, optional) {
  const row = input.closest(".form-row");
  const words = row.querySelector(".help, .helptext");
  if (words && help) {
    words.textContent = help;
  }
  row.querySelector(".optional")?.toggleAttribute("hidden", !optional);
}

/** Fill in what is suggested, in place of nothing or of another suggestion. */
function suggest(input, value, key) {
  const typed = input.value.trim();
  if (!typed || options.some((option) => option[key] === typed)) {
    input.value = value;
  }
}

function isItsOwn() {
  const typed = address.value.trim().replace(/\/+$/, "");
  return !typed || typed === chosen().address.replace(/\/+$/, "");
}

function suggestPage() {
  const own = isItsOwn();
  suggest(page, own ? chosen().statusPage : "", "statusPage");
  suggest(components, own ? chosen().statusComponents : "", "statusComponents");
}

function followDialect() {
  const hints = chosen();
  suggest(address, hints.address, "address");
  address.placeholder = hints.example;
  page.placeholder = hints.statusPage || "https://status.example.com";
  say(address, hints.addressHelp, Boolean(hints.address));
  say(field("api_key"), hints.keyHelp, !hints.needsKey);
  suggestPage();
}

select.addEventListener("change", followDialect);
// Somebody may have chosen before this was loaded.
if (!select.selectedOptions[0].defaultSelected) {
  followDialect();
}
address.addEventListener("change", () => {
  if (!isItsOwn()) {
    suggestPage();
  }
});
