/* One tooltip for the page: the text of data-tip, on hover and on keyboard focus, gone with Escape. */
const tip = document.getElementById("tip");
const GAP = 8;
let owner = null;

function place(box) {
  const size = tip.getBoundingClientRect();
  const left = Math.min(Math.max(GAP, box.left + box.width / 2 - size.width / 2), innerWidth - size.width - GAP);
  const above = box.top - size.height - GAP;
  tip.style.left = `${left}px`;
  tip.style.top = `${above > GAP ? above : box.bottom + GAP}px`;
}

/** Show `text` beside `element` until `hide`. */
export function show(element, text = element.dataset.tip) {
  if (!tip || !text) {
    return;
  }
  owner = element;
  tip.textContent = text;
  if (!tip.matches(":popover-open")) {
    tip.showPopover();
  }
  place(element.getBoundingClientRect());
}

export function hide() {
  owner = null;
  if (tip?.matches(":popover-open")) {
    tip.hidePopover();
  }
}

if (tip?.showPopover) {
  document.addEventListener("pointerover", (event) => {
    const element = event.target.closest?.("[data-tip]");
    if (element && element !== owner && event.pointerType !== "touch") {
      show(element);
    } else if (!element && owner && !owner.matches(":focus-visible")) {
      hide();
    }
  });
  document.addEventListener("focusin", (event) => {
    const element = event.target.closest?.("[data-tip]");
    if (element?.matches(":focus-visible")) {
      show(element);
    } else {
      hide();
    }
  });
  document.addEventListener("focusout", hide);
  // A finger has no hover: a touch on something that only explains itself shows the explanation.
  document.addEventListener("click", (event) => {
    const element = event.target.closest?.("[data-tip]");
    if (element && matchMedia("(hover: none)").matches && !element.closest("a, button")) {
      show(element);
    }
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      hide();
    }
  });
  document.addEventListener("scroll", hide, { capture: true, passive: true });
}
