/*
  The connection that says what changed. It hands on events and the state of the connection, and knows nothing else.

  A message is a JSON event or a list of them; an empty list is a heartbeat. Close code 4401 means: sign in again.
*/
const SIGNED_OUT = 4401;
const SILENT_MILLISECONDS = 45_000;
const GIVE_UP_MILLISECONDS = 10_000;
const FIRST_WAIT = 1_000;
const LONGEST_WAIT = 30_000;

export class LiveSocket {
  /** `on` has events(list), opened(), state(name) and signedOut(). States: connecting, live, reconnecting, polling, offline. */
  constructor(address, on) {
    this.address = address;
    this.on = on;
    this.heardAt = 0;
    this.failures = 0;
    this.lostAt = 0;
    this.socket = null;
    this.timer = 0;
    this.state = "connecting";
  }

  start() {
    this.connect();
    setInterval(() => this.watch(), 5_000);
    addEventListener("online", () => this.retryNow());
    addEventListener("offline", () => this.become("offline"));
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden) {
        this.watch();
        this.retryNow();
      }
    });
    // A page kept in memory by the back button has lost its socket.
    addEventListener("pageshow", (event) => event.persisted && this.retryNow());
  }

  connect() {
    clearTimeout(this.timer);
    this.timer = 0;
    let socket;
    try {
      socket = new WebSocket(new URL(this.address, location.href.replace(/^http/, "ws")));
    } catch {
      this.lost();
      return;
    }
    this.socket = socket;
    socket.addEventListener("open", () => {
      this.failures = 0;
      this.lostAt = 0;
      this.heardAt = Date.now();
      this.become("live");
      this.on.opened();
    });
    socket.addEventListener("message", (message) => this.hear(message.data));
    socket.addEventListener("close", (event) => {
      if (this.socket !== socket) {
        return;
      }
      this.socket = null;
      if (event.code === SIGNED_OUT) {
        this.on.signedOut();
      } else {
        this.lost();
      }
    });
  }

  hear(data) {
    this.heardAt = Date.now();
    this.become("live");
    let events;
    try {
      events = JSON.parse(data);
    } catch {
      return;
    }
    const list = (Array.isArray(events) ? events : [events]).filter((event) => event && event.v === 1);
    if (list.length > 0) {
      this.on.events(list);
    }
  }

  /** A connection that says nothing, not even a heartbeat, only looks alive. */
  watch() {
    if (this.socket?.readyState === WebSocket.OPEN && Date.now() - this.heardAt > SILENT_MILLISECONDS) {
      const silent = this.socket;
      this.socket = null;
      silent.close();
      this.lost();
    }
    if (this.state === "reconnecting" && Date.now() - this.lostAt > GIVE_UP_MILLISECONDS) {
      this.become("polling");
    }
  }

  lost() {
    this.lostAt ||= Date.now();
    if (this.state !== "polling") {
      const givenUp = Date.now() - this.lostAt > GIVE_UP_MILLISECONDS;
      this.become(navigator.onLine === false ? "offline" : givenUp ? "polling" : "reconnecting");
    }
    // Full jitter: a thousand pages must not come back in the same second.
    const longest = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** this.failures);
    this.failures += 1;
    this.timer = setTimeout(() => this.connect(), 300 + Math.random() * longest);
  }

  retryNow() {
    if (this.timer) {
      this.failures = 0;
      this.connect();
    }
  }

  become(state) {
    if (this.state !== state) {
      this.state = state;
      this.on.state(state);
    }
  }
}
