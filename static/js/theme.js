/* Runs before the first paint, so that no page flashes in the other theme or with the other rail. */
(function () {
  function cookie(name) {
    const found = document.cookie.match(new RegExp("(?:^|; )" + name + "=([^;]*)"));
    return found ? decodeURIComponent(found[1]) : "";
  }

  function remember(name, value) {
    const secure = location.protocol === "https:" ? "; Secure" : "";
    document.cookie = name + "=" + encodeURIComponent(value) + "; Path=/; Max-Age=31536000; SameSite=Lax" + secure;
  }

  const root = document.documentElement;
  const choices = ["light", "dark"];

  function apply(choice) {
    if (choices.includes(choice)) {
      root.dataset.theme = choice;
    } else {
      delete root.dataset.theme;
    }
    document.dispatchEvent(new CustomEvent("portal:theme"));
  }

  // Without a choice made in this browser the server's word stands: the account's theme, or none.
  if (cookie("portal_theme")) {
    apply(cookie("portal_theme"));
  }
  if (cookie("portal_rail") === "narrow") {
    root.dataset.rail = "narrow";
  }
  // The server writes absolute times in this zone for whoever has not chosen one.
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (zone && cookie("portal_zone") !== zone) {
    remember("portal_zone", zone);
  }

  function mark() {
    const current = root.dataset.theme || "system";
    document.querySelectorAll("[data-theme-choice]").forEach((button) => {
      button.setAttribute("aria-pressed", String(button.dataset.themeChoice === current));
    });
  }

  /* In the account too, for the next browser. Nobody waits for it, and the cookie holds if it fails. */
  function save(theme) {
    const { themeUrl, csrf } = document.body.dataset;
    if (themeUrl) {
      fetch(themeUrl, {
        method: "POST",
        headers: { "X-CSRFToken": csrf, "HX-Request": "true" },
        body: new URLSearchParams({ theme }),
      }).catch(() => {});
    }
  }

  document.addEventListener("DOMContentLoaded", mark);
  document.addEventListener("click", (event) => {
    const theme = event.target.closest("[data-theme-choice]");
    if (theme) {
      remember("portal_theme", theme.dataset.themeChoice);
      apply(theme.dataset.themeChoice);
      mark();
      save(theme.dataset.themeChoice);
    }
    if (event.target.closest("[data-rail-toggle]")) {
      const rail = root.dataset.rail === "narrow" ? "wide" : "narrow";
      remember("portal_rail", rail);
      root.dataset.rail = rail;
    }
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    document.dispatchEvent(new CustomEvent("portal:theme"));
  });
})();
