/* Copying and wrapping of code blocks. */
import { toast } from "./toast.js";
import { word } from "./words.js";

async function copy(source) {
  const text = "value" in source ? source.value : source.textContent;
  try {
    await navigator.clipboard.writeText(text);
    toast(word("copied"), "success");
  } catch {
    // Without https a browser has no clipboard: select the text, so that one key does the rest.
    getSelection().selectAllChildren(source);
    toast(word("copy_failed"), "warning");
  }
}

document.addEventListener("click", (event) => {
  const copier = event.target.closest?.("[data-copy]");
  if (copier) {
    const source = document.querySelector(copier.dataset.copy);
    if (source) {
      copy(source);
    }
  }
  const wrapper = event.target.closest?.("[data-code-wrap]");
  if (wrapper) {
    const wrapped = wrapper.closest("[data-code]").classList.toggle("is-wrapped");
    wrapper.setAttribute("aria-pressed", String(wrapped));
  }
});
