/* The words of the page's language, put into it by the server (apps/dashboard/words.py). */
const block = document.getElementById("portal-words");
const words = block ? JSON.parse(block.textContent) : {};

/** The message `key` with its %(name)s filled in. */
export function word(key, values = {}) {
  const message = words[key] ?? key;
  return message.replace(/%\((\w+)\)s/g, (whole, name) => (name in values ? String(values[name]) : whole));
}

export const language = words.language || document.documentElement.lang || "en";
