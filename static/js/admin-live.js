// The admin's lists show live status: when the socket says that something changed, the same URL is fetched again. Cells of
// rows that are still there are filled anew, so ticked rows, counters and whoever listens to a checkbox stay as they are.
const QUIET_MS = 400;
const RETRY_MS = 5000;
const FOLLOWED = ["target.", "check.", "incident.", "notification."];

let waiting = null;

const list = () => document.getElementById("result_list");
const boxes = (table) => [...table.querySelectorAll("input.action-select")];

function editing() {
  const active = document.activeElement;
  return Boolean(active && active.closest("#result_list") && active.matches("input:not([type=checkbox]), select, textarea"));
}

function rowsBy(table) {
  return [...table.querySelectorAll("tbody tr")].map((row) => ({ row, key: row.querySelector("input.action-select")?.value }));
}

function fill(before, after) {
  [...before.cells].forEach((cell, position) => {
    const fresh = after.cells[position];
    if (fresh && !cell.querySelector("input.action-select") && cell.innerHTML !== fresh.innerHTML) {
      cell.replaceChildren(...fresh.cloneNode(true).childNodes);
    }
  });
}

function replaceRows(table, fresh) {
  [...table.tBodies].forEach((body) => body.remove());
  [...fresh.tBodies].forEach((body) => table.append(document.adoptNode(body)));
  // The admin's own script looks for the checkboxes once; it must look again.
  if (typeof window.Actions === "function" && boxes(table).length) window.Actions(table.querySelectorAll("tr input.action-select"));
}

async function refresh() {
  waiting = null;
  const table = list();
  if (!table || editing()) return;
  const answer = await fetch(window.location.href, { credentials: "same-origin" });
  if (!answer.ok || answer.redirected) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("result_list");
  if (!fresh) return;
  const before = rowsBy(table);
  const after = rowsBy(fresh);
  const same = before.length === after.length && before.every(({ key }, position) => key === after[position].key);
  if (same) before.forEach(({ row }, position) => fill(row, after[position].row));
  // Rows that come and go wait until nothing is ticked: they must not move under a choice somebody is making.
  else if (!boxes(table).some((box) => box.checked)) replaceRows(table, fresh);
}

function heard(events) {
  if (events.some((event) => FOLLOWED.some((prefix) => event.type.startsWith(prefix))) && waiting === null) {
    waiting = window.setTimeout(refresh, QUIET_MS);
  }
}

function connect() {
  const scheme = window.location.protocol === "https:" ? "wss" : "ws";
  const socket = new WebSocket(`${scheme}://${window.location.host}/ws/live/`);
  socket.addEventListener("message", (message) => {
    const told = JSON.parse(message.data);
    heard(Array.isArray(told) ? told : [told]);
  });
  socket.addEventListener("close", (closed) => {
    // 4401: signed out. Anything else is a connection that comes back.
    if (closed.code !== 4401) window.setTimeout(connect, RETRY_MS);
  });
}

if (list()) connect();
