/*
  Parts of the page that keep themselves up to date.

  An element with data-live="summary,incident" (type prefixes) and perhaps data-live-ids="uuid uuid" asks the server
  again (hx-get, hx-trigger="live") when an event concerns it, at most every data-live-every seconds; one with
  data-live-poll="10" asks by itself after so many seconds, too. At most one request an element and four a second a page
  are started, those that follow one event together, so that no two parts contradict each other for long; none while
  somebody types in it, and none that would move rows from under the pointer (data-live-hold).
*/
import { relative, span } from "./format.js";
import { hasUnsentText, isBusy, protectPage } from "./morph.js";
import { noticeChanges } from "./rows.js";
import { LiveSocket } from "./socket.js";
import { applyColumns } from "./tables.js";
import { writeTimes } from "./time.js";
import { toast } from "./toast.js";
import { word } from "./words.js";

const STARTS_A_SECOND = 4;
const AGAIN_MILLISECONDS = 250;
const ELEMENT_SPACING_MILLISECONDS = 500;
const POLL_MILLISECONDS = 30_000;
const HIDDEN_POLL_MILLISECONDS = 120_000;
const LONGEST_HOLD_MILLISECONDS = 5_000;
const RETRY_MILLISECONDS = [5_000, 10_000, 30_000, 60_000];

// element → {dirtyAt (0: clean), waitsSince (dirtyAt of the request under way), asked (by a person), inFlight, startedAt,
// failures, retryAt}
const parts = new WeakMap();
// When the latest requests were started, the oldest first.
const starts = [];
let timer = 0;
let lastPollAt = Date.now();
const begunAt = Date.now();
// Until when a hidden tab may ask; a visible one always may.
let openUntil = 0;
let polling = false;

const liveElements = () => [...document.querySelectorAll("[data-live]")];

function part(element) {
  if (!parts.has(element)) {
    const fresh = { dirtyAt: 0, waitsSince: 0, asked: false, inFlight: false, startedAt: 0, failures: 0, retryAt: 0 };
    parts.set(element, fresh);
  }
  return parts.get(element);
}

/* Which parts an event concerns */
function concerns(element, event) {
  if (event.type === "resync") {
    return true;
  }
  const prefixes = element.dataset.live.split(",").map((prefix) => prefix.trim());
  if (!prefixes.some((prefix) => event.type === prefix || event.type.startsWith(`${prefix}.`))) {
    return false;
  }
  const ids = (element.dataset.liveIds ?? "").split(" ").filter(Boolean);
  // An event without ids means "some or all of this type".
  return ids.length === 0 || !event.ids?.length || event.ids.some((id) => ids.includes(id));
}

function onEvents(events) {
  liveElements().forEach((element) => {
    if (events.some((event) => concerns(element, event))) {
      markDirty(element);
    }
  });
}

function markDirty(element) {
  const state = part(element);
  state.dirtyAt ||= Date.now();
  schedule();
}

/** Figures that no event announces are asked for again after a while. */
function markAged(now) {
  liveElements().forEach((element) => {
    const seconds = Number(element.dataset.livePoll ?? 0);
    if (seconds && now - Math.max(part(element).startedAt, begunAt) >= seconds * 1000) {
      markDirty(element);
    }
  });
}

/** Ask for every part again, because the news may be incomplete. */
function resync() {
  liveElements().forEach(markDirty);
}

/** Somebody asked for `element` anew: now, whatever failed before and wherever the pointer is. */
function ask(element) {
  Object.assign(part(element), { retryAt: 0, asked: true });
  markDirty(element);
}

export function refreshAll() {
  liveElements().forEach(ask);
}

/* When a part may ask */
function mustWait(element, state, now) {
  const spacing = Number(element.dataset.liveEvery ?? 0) * 1000 || ELEMENT_SPACING_MILLISECONDS;
  if (state.inFlight || now < state.retryAt || now - state.startedAt < spacing) {
    return true;
  }
  return isBusy(element) || isHeld(element, state, now);
}

function isHeld(element, state, now) {
  const held = !state.asked && element.hasAttribute("data-live-hold") && element.matches(":hover");
  return held && now - state.dirtyAt < LONGEST_HOLD_MILLISECONDS;
}

/** From when on one more request keeps to the limit of the page. */
const freeAt = () => (starts.length < STARTS_A_SECOND ? 0 : starts[0] + 1_000);

function schedule(delay = 0) {
  if (!timer) {
    timer = setTimeout(work, Math.max(delay, freeAt() - Date.now(), 0));
  }
}

function work() {
  timer = 0;
  const now = Date.now();
  const dirty = liveElements().filter((element) => part(element).dirtyAt);
  if (dirty.length === 0 || (document.hidden && now > openUntil)) {
    return;
  }
  // The one that has waited longest goes first, so that none starves.
  dirty.sort((one, other) => part(one).dirtyAt - part(other).dirtyAt);
  for (const element of dirty) {
    if (freeAt() <= Date.now() && !mustWait(element, part(element), now)) {
      start(element, part(element), Date.now());
    }
  }
  if (dirty.some((element) => part(element).dirtyAt)) {
    schedule(AGAIN_MILLISECONDS);
  }
}

function start(element, state, now) {
  state.waitsSince = state.dirtyAt;
  state.dirtyAt = 0;
  state.inFlight = true;
  state.startedAt = now;
  starts.push(now);
  starts.splice(0, starts.length - STARTS_A_SECOND);
  globalThis.htmx.trigger(element, "live");
}

/* What comes back */
const isLive = (element) => element?.matches?.("[data-live]");

function leaveForLogin() {
  const login = document.body.dataset.loginUrl;
  if (hasUnsentText(document.body)) {
    toast(word("signed_out"), "error");
  } else if (login) {
    location.assign(`${login}?next=${encodeURIComponent(location.pathname + location.search)}`);
  }
}

function isLoginPage(xhr) {
  const login = document.body.dataset.loginUrl;
  return Boolean(login && xhr?.responseURL && new URL(xhr.responseURL).pathname === login);
}

document.addEventListener("htmx:beforeSwap", (event) => {
  const { target, xhr } = event.detail;
  if (isLoginPage(xhr)) {
    event.detail.shouldSwap = false;
    leaveForLogin();
  } else if (isLive(target) && event.detail.requestConfig?.elt === target && event.detail.shouldSwap) {
    const state = part(target);
    if (isBusy(target) || isHeld(target, { ...state, dirtyAt: state.waitsSince }, Date.now())) {
      // Somebody came in between asking and answering: ask again when they are done, or have waited long enough.
      event.detail.shouldSwap = false;
      state.dirtyAt = state.waitsSince;
      schedule(AGAIN_MILLISECONDS);
    }
  }
});

let currentRow = "";
document.addEventListener("htmx:beforeSwap", () => {
  currentRow = document.querySelector("[data-row].is-current")?.id ?? "";
});

document.addEventListener("htmx:afterSwap", (event) => {
  const target = event.detail.target ?? event.target;
  writeTimes(target);
  applyColumns();
  noticeChanges(target);
  if (currentRow) {
    document.getElementById(currentRow)?.classList.add("is-current");
  }
});

document.addEventListener("htmx:afterRequest", (event) => {
  const element = event.detail.elt;
  if (isLive(element)) {
    finish(element, event.detail.successful);
  } else if (event.detail.failed && !event.detail.xhr?.getResponseHeader("HX-Trigger")) {
    const status = event.detail.xhr?.status;
    toast(status ? word("request_failed", { status }) : word("request_unreachable"), "error");
  }
});

/* Whoever changes something inside a part sees it at once, wherever their pointer is. */
document.addEventListener("htmx:afterRequest", (event) => {
  const element = event.detail.elt?.closest?.("[data-live]");
  if (element && event.detail.successful && event.detail.requestConfig?.verb !== "get") {
    part(element).asked = true;
    markDirty(element);
  }
});

// A part that fetches by itself (a chart) says when it is done.
document.addEventListener("live:done", (event) => finish(event.target, event.detail.successful));

function finish(element, successful) {
  const state = part(element);
  state.inFlight = false;
  if (successful) {
    state.failures = 0;
    state.asked &&= state.dirtyAt > 0;
    element.querySelector(":scope > [data-live-failed]")?.remove();
  } else {
    state.retryAt = Date.now() + RETRY_MILLISECONDS[Math.min(state.failures, RETRY_MILLISECONDS.length - 1)];
    state.failures += 1;
    state.dirtyAt ||= Date.now();
    // One failure is a hiccup; the second in a row is said. A part with a script of its own says it itself.
    if (state.failures > 1 && element.hasAttribute("hx-get")) {
      showFailure(element);
    }
  }
  schedule();
}

function showFailure(element) {
  const template = document.querySelector("[data-live-error-template]");
  if (!template || element.querySelector("[data-live-failed]")) {
    return;
  }
  const notice = template.content.firstElementChild.cloneNode(true);
  notice.dataset.liveFailed = "";
  notice.querySelector("p").textContent = word("refresh_failed");
  element.prepend(notice);
}

document.addEventListener("click", (event) => {
  const retry = event.target.closest?.("[data-live-retry]");
  if (retry) {
    ask(retry.closest("[data-live]"));
  } else if (event.target.closest?.("[data-live-refresh]")) {
    refreshAll();
  }
});

/* The state of the connection, in words */
const indicator = document.querySelector("[data-connection]");
const indicatorWords = document.querySelector("[data-connection-words]");
let socket = null;

function writeState() {
  if (!indicator || !socket) {
    return;
  }
  const words = {
    live: () => word("live_age", { age: relative(socket.heardAt) }),
    polling: () => word("polling", { span: span(pollEvery() / 1000) }),
  };
  indicator.dataset.connection = socket.state;
  indicatorWords.textContent = words[socket.state]?.() ?? word(socket.state);
  indicator.dataset.tip = indicatorWords.textContent;
}

const pollEvery = () => (document.hidden ? HIDDEN_POLL_MILLISECONDS : POLL_MILLISECONDS);

function tick() {
  const now = Date.now();
  const due = polling ? pollEvery() : document.hidden ? HIDDEN_POLL_MILLISECONDS : Infinity;
  if (now - lastPollAt >= due) {
    lastPollAt = now;
    openUntil = now + POLL_MILLISECONDS;
    if (polling) {
      resync();
    } else {
      schedule();
    }
  }
  if (!document.hidden) {
    markAged(now);
  }
  writeState();
}

function begin() {
  protectPage();
  socket = new LiveSocket(document.body.dataset.liveUrl, {
    events: onEvents,
    opened: resync,
    signedOut: leaveForLogin,
    state: (state) => {
      polling = state === "polling";
      if (state === "polling") {
        lastPollAt = Date.now();
        resync();
      }
      writeState();
    },
  });
  socket.start();
  setInterval(tick, 1_000);
  document.addEventListener("visibilitychange", () => !document.hidden && schedule());
  document.addEventListener("focusout", () => schedule(AGAIN_MILLISECONDS));
}

if (document.body.dataset.liveUrl && globalThis.htmx) {
  begin();
}
