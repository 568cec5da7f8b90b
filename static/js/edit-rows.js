/* Rows of inputs: buttons add and remove them, and a value is offered what its label is known to hold. */
import { announce } from "./announce.js";

class EditRows {
  constructor(root) {
    this.root = root;
    this.list = root.querySelector("[data-edit-rows-list]");
    this.template = root.querySelector("[data-edit-rows-template]");
    this.add = root.querySelector("[data-edit-rows-add]");
    this.next = this.list.children.length;
    this.add.hidden = false;
    this.add.addEventListener("click", () => this.addRow());
    [...this.list.children].forEach((row) => this.adopt(row));
    this.list.addEventListener("change", (event) => this.suggest(event.target.closest("[data-edit-row]")));
    this.list.addEventListener("click", (event) => {
      const remove = event.target.closest("[data-edit-row-remove]");
      if (remove) {
        this.remove(remove.closest("[data-edit-row]"));
      }
    });
  }

  adopt(row) {
    row.querySelector("[data-edit-row-remove]").hidden = false;
    this.suggest(row);
  }

  addRow() {
    const number = this.next;
    this.next += 1;
    const holder = document.createElement("template");
    // The template is ours: what somebody typed is never part of it.
    holder.innerHTML = this.template.innerHTML.replaceAll("__row__", number).replaceAll("__number__", number + 1);
    const row = holder.content.firstElementChild;
    this.list.append(row);
    this.adopt(row);
    row.querySelector("select, input").focus();
    announce(this.root.dataset.added);
  }

  remove(row) {
    const near = row.nextElementSibling ?? row.previousElementSibling;
    row.remove();
    (near?.querySelector("[data-edit-row-remove]") ?? this.add).focus();
    announce(this.root.dataset.removed);
    this.root.dispatchEvent(new Event("change", { bubbles: true }));
  }

  suggest(row) {
    const label = row?.querySelector("[data-edit-row-label]");
    if (label) {
      row.querySelector("[data-edit-row-value]").setAttribute("list", `${this.root.id}-${label.value}`);
    }
  }
}

function adoptAll(root = document) {
  root.querySelectorAll("[data-edit-rows]").forEach((element) => {
    if (element.dataset.ready === undefined) {
      element.dataset.ready = "";
      new EditRows(element);
    }
  });
}

adoptAll();
document.addEventListener("htmx:afterSwap", (event) => adoptAll(event.target));
