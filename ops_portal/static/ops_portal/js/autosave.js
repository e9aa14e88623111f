// <form data-autosave hx-post="..." hx-trigger="change, input delay:800ms from:find textarea" hx-swap="none">
// shows "Saving", "Saved 10:32" or why not in its .save-status, and warns before an unsaved answer is left behind.
(() => {
  "use strict";

  const waiting = new Set();
  const clock = () => new Date().toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });

  const say = (form, state, text) => {
    const status = form.querySelector(".save-status");
    if (!status) return;
    status.dataset.state = state;
    status.textContent = text;
  };

  const formOf = (event) => event.detail.elt?.closest?.("[data-autosave]");

  document.addEventListener("input", (event) => {
    const form = event.target.closest("[data-autosave]");
    if (form) waiting.add(form);
  });

  document.addEventListener("htmx:beforeRequest", (event) => {
    const form = formOf(event);
    if (!form) return;
    waiting.add(form);
    say(form, "saving", "Saving");
  });

  document.addEventListener("htmx:afterRequest", (event) => {
    const form = formOf(event);
    if (!form) return;
    if (event.detail.successful) {
      waiting.delete(form);
      say(form, "saved", `Saved ${clock()}`);
    } else if (event.detail.xhr?.status) {
      say(form, "failed", "Not saved");
    } else {
      say(form, "failed", "Not saved: no connection. It is tried again when you are back.");
    }
  });

  // Sent in the ordinary way after all: nothing is left behind
  document.addEventListener("submit", (event) => waiting.delete(event.target));

  addEventListener("online", () => {
    for (const form of waiting) {
      if (form.isConnected) window.htmx?.trigger(form, "change");
    }
  });

  addEventListener("beforeunload", (event) => {
    for (const form of waiting) if (!form.isConnected) waiting.delete(form);
    if (waiting.size) event.preventDefault();
  });
})();
