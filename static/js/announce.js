/* Says something to whoever listens instead of looking, without interrupting. */
const region = document.getElementById("announcer");
let waiting = [];

/** Speak `text` politely. What comes within a moment is said together. */
export function announce(text) {
  if (!region || !text) {
    return;
  }
  waiting.push(text);
  if (waiting.length === 1) {
    // Emptied first: the same words twice would otherwise be no change, and so not be spoken.
    region.textContent = "";
    setTimeout(() => {
      region.textContent = waiting.join(" ");
      waiting = [];
    }, 120);
  }
}
