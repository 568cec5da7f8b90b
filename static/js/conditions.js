/* The condition editor: rows over a JSON field. The field stays the truth, so a form without scripts works too. */
import { announce } from "./announce.js";
import { word } from "./words.js";

class ConditionEditor {
  constructor(root) {
    this.root = root;
    this.field = root.querySelector("[data-conditions-value]");
    this.rows = root.querySelector("[data-conditions-rows]");
    this.template = root.querySelector("[data-conditions-template]");
    const conditions = this.read();
    if (conditions === null) {
      // Not ours to throw away: the text stays in sight, with a sentence about it.
      const note = document.createElement("p");
      note.className = "error";
      note.textContent = word("condition_invalid");
      this.field.after(note);
      return;
    }
    this.field.hidden = true;
    const add = root.querySelector("[data-conditions-add]");
    add.hidden = false;
    add.addEventListener("click", () => this.add());
    conditions.forEach((condition) => this.addRow(condition));
    this.number();
    this.rows.addEventListener("input", () => this.write());
    this.rows.addEventListener("change", (event) => this.onChange(event));
    this.rows.addEventListener("keydown", (event) => this.onKey(event));
    this.rows.addEventListener("click", (event) => {
      const remove = event.target.closest('[data-condition="remove"]');
      if (remove) {
        this.remove(remove.closest('[data-condition="row"]'));
      }
    });
  }

  read() {
    const text = this.field.value.trim();
    if (!text) {
      return [];
    }
    try {
      const found = JSON.parse(text);
      const usable = Array.isArray(found) && found.every((entry) => entry && typeof entry === "object");
      return usable ? found : null;
    } catch {
      return null;
    }
  }

  part(row, name) {
    return row.querySelector(`[data-condition="${name}"]`);
  }

  addRow(condition) {
    const row = this.template.content.firstElementChild.cloneNode(true);
    this.rows.append(row);
    const select = this.part(row, "field");
    const [group, ...rest] = String(condition.field ?? select.options[0]?.value ?? "").split(".");
    const options = [...select.options];
    const known = options.find((option) => option.value === group);
    if (condition.field && !known) {
      // An unknown field is shown as it is; the server says what is wrong with it.
      select.add(new Option(condition.field, condition.field, true, true));
    } else {
      select.value = known?.value ?? select.value;
    }
    this.part(row, "name").value = known ? rest.join(".") : "";
    if (condition.operator) {
      this.part(row, "operator").value = condition.operator;
    }
    const { value } = condition;
    this.part(row, "value").value = value === undefined || value === null ? "" : String(value);
    row.dataset.wasText = String(typeof value === "string");
    this.adapt(row);
    return row;
  }

  add() {
    const row = this.addRow({});
    this.number();
    this.write();
    this.part(row, "field").focus();
    announce(word("condition_added", { number: this.rows.children.length }));
  }

  remove(row) {
    const next = row.nextElementSibling ?? row.previousElementSibling;
    row.remove();
    this.number();
    this.write();
    (next ? this.part(next, "remove") : this.root.querySelector("[data-conditions-add]")).focus();
    announce(word("condition_removed"));
  }

  /** A header or a JSON path needs a name; a number has a unit. */
  adapt(row) {
    const option = this.part(row, "field").selectedOptions[0];
    const takesName = option?.dataset.takesName !== undefined;
    row.classList.toggle("has-name", takesName);
    this.part(row, "name").hidden = !takesName;
    this.part(row, "name").placeholder = option?.dataset.hint ?? "";
    this.part(row, "unit").textContent = option?.dataset.unit ?? "";
    this.part(row, "value").inputMode = option?.dataset.numeric === undefined ? "text" : "decimal";
  }

  number() {
    [...this.rows.children].forEach((row, position) => {
      const number = position + 1;
      row.setAttribute("aria-label", `${this.root.querySelector("legend").textContent} ${number}`);
      ["field", "name", "operator", "value"].forEach((name) => {
        this.part(row, name).setAttribute("aria-label", `${word(`condition_${name}`)} ${number}`);
      });
      this.part(row, "remove").setAttribute("aria-label", word("condition_remove", { number }));
    });
  }

  onChange(event) {
    const row = event.target.closest('[data-condition="row"]');
    if (row && event.target === this.part(row, "field")) {
      this.adapt(row);
    }
    this.write();
  }

  onKey(event) {
    // Enter in a value starts the next condition instead of sending the form.
    if (event.key === "Enter" && event.target.matches("input")) {
      event.preventDefault();
      this.add();
    }
  }

  write() {
    const conditions = [...this.rows.children].map((row) => {
      const option = this.part(row, "field").selectedOptions[0];
      const name = this.part(row, "name").value.trim();
      const field = option?.dataset.takesName !== undefined && name ? `${option.value}.${name}` : option?.value;
      const text = this.part(row, "value").value;
      return { field, operator: this.part(row, "operator").value, value: this.typed(row, option, text) };
    });
    const text = conditions.length ? JSON.stringify(conditions) : "";
    if (text !== this.field.value) {
      this.field.value = text;
      this.field.dispatchEvent(new Event("change", { bubbles: true }));
    }
  }

  /** Numbers are numbers where the field counts, and wherever a JSON value was one; everything else stays text. */
  typed(row, option, text) {
    const trimmed = text.trim();
    const isNumber = trimmed !== "" && Number.isFinite(Number(trimmed));
    if (option?.dataset.numeric !== undefined) {
      return isNumber ? Number(trimmed) : text;
    }
    if (option?.value === "json" && row.dataset.wasText !== "true") {
      try {
        const value = JSON.parse(trimmed);
        return value === null || typeof value === "object" ? text : value;
      } catch {
        return text;
      }
    }
    return text;
  }
}

function adopt(root = document) {
  root.querySelectorAll("[data-conditions]").forEach((element) => {
    if (element.dataset.ready === undefined) {
      element.dataset.ready = "";
      new ConditionEditor(element);
    }
  });
}

adopt();
document.addEventListener("htmx:afterSwap", (event) => adopt(event.target));
