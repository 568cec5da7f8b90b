// The admin's lists show live status: when the socket says that something changed, the same URL is fetched again and the
// cells of its table are put in place. Ticked rows stay ticked; nothing is touched while somebody edits in the list.
const QUIET_MS = 400;
const RETRY_MS = 5000;
const FOLLOWED = ["target.", "check.", "incident.", "notification."];

let waiting = null;

function editing() {
  const active = document.activeElement;
  return Boolean(active && active.closest("#result_list") && active.matches("input:not([type=checkbox]), select, textarea"));
}

async function refresh() {
  waiting = null;
  const table = document.getElementById("result_list");
  if (!table || editing()) return;
  const answer = await fetch(window.location.href, { credentials: "same-origin" });
  if (!answer.ok || answer.redirected) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("result_list");
  if (!fresh) return;
  const ticked = new Set([...table.querySelectorAll("input.action-select:checked")].map((box) => box.value));
  const before = table.tBodies;
  const after = [...fresh.tBodies];
  [...before].forEach((body) => body.remove());
  after.forEach((body) => table.append(document.adoptNode(body)));
  table.querySelectorAll("input.action-select").forEach((box) => {
    box.checked = ticked.has(box.value);
  });
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

if (document.getElementById("result_list")) connect();
