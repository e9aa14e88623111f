// The user's choice of theme, applied before the first paint. "system" leaves the choice to the device.
(() => {
  "use strict";
  const KEY = "ops-portal-theme";
  const root = document.documentElement;

  const read = () => {
    try {
      return localStorage.getItem(KEY) || "system";
    } catch {
      return "system"; // storage may be forbidden; the page works all the same
    }
  };

  const apply = (choice) => {
    if (choice === "light" || choice === "dark") root.dataset.theme = choice;
    else delete root.dataset.theme;
  };

  const mark = (choice) => {
    for (const button of document.querySelectorAll("[data-theme-choice]")) {
      button.setAttribute("aria-pressed", String(button.dataset.themeChoice === choice));
    }
  };

  root.classList.add("js");
  apply(read());

  document.addEventListener("DOMContentLoaded", () => mark(read()));
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-theme-choice]");
    if (!button) return;
    const choice = button.dataset.themeChoice;
    try {
      localStorage.setItem(KEY, choice);
    } catch {
      // not kept for the next page, but applied to this one
    }
    apply(choice);
    mark(choice);
    document.dispatchEvent(new CustomEvent("portal:theme"));
  });
  // Another tab changed it
  addEventListener("storage", (event) => {
    if (event.key !== KEY) return;
    apply(read());
    mark(read());
    document.dispatchEvent(new CustomEvent("portal:theme"));
  });
})();
