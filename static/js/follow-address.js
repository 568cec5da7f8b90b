/* The base URL follows the dialect until somebody types one of their own; what to enter stands below it. */
const select = document.querySelector("[data-address-of]");
const input = document.getElementById(select.dataset.addressOf);
const row = input.closest(".form-row");
const help = row.querySelector(".help, .helptext");
const own = new Set([...select.options].map((option) => option.dataset.address));

select.addEventListener("change", () => {
  const { address, help: words } = select.selectedOptions[0].dataset;
  if (!input.value.trim() || own.has(input.value.trim())) {
    input.value = address;
  }
  if (help) {
    help.textContent = words;
  }
  row.querySelector(".optional")?.toggleAttribute("hidden", !address);
});
