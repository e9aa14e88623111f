// <form data-autosave hx-post="..." hx-trigger="change, input delay:800ms from:find textarea" hx-swap="none">
// shows "Saving", "Saved 10:32" or why not in its .save-status, and warns before an unsaved answer is left behind.
(() => {
  "use strict";

  const waiting = new Set();
  const signedOut = new Set();
  const sent = new Set();
  const clock = () => new Date().toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });

  const say = (form, state, ...text) => {
    const status = form.querySelector(".save-status");
    if (!status) return;
    status.dataset.state = state;
    status.replaceChildren(...text);
  };

  const formOf = (event) => event.detail.elt?.closest?.("[data-autosave]");
  const again = (form) => form.isConnected && window.htmx?.trigger(form, "change");

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

  // The session has ended: the answer stays on the page instead of being left for the sign-in page
  document.addEventListener("htmx:beforeOnLoad", (event) => {
    const form = formOf(event);
    const to = event.detail.xhr.getResponseHeader("HX-Redirect");
    if (!form || !to) return;
    if (new URL(to, location).pathname !== document.body.dataset.signIn) {
      sent.add(form); // saved, and on to the next page: the button that leads there was pressed meanwhile
      return;
    }
    event.preventDefault();
    signedOut.add(form);
    const link = document.createElement("a");
    link.href = to;
    link.target = "_blank";
    link.textContent = "Sign in in another window";
    say(form, "failed", "Not saved: you are signed out. ", link, "; then it is saved here.");
  });

  document.addEventListener("htmx:afterRequest", (event) => {
    const form = formOf(event);
    if (!form || signedOut.has(form)) return;
    const status = event.detail.xhr?.status;
    // A refusal (422) is swapped in like any answer, and says itself what was wrong
    if (event.detail.successful && status < 400) {
      waiting.delete(form);
      say(form, "saved", `Saved ${clock()}`);
    } else if (status) {
      say(form, "failed", "Not saved");
    } else {
      say(form, "failed", "Not saved: no connection. It is tried again when you are back.");
    }
  });

  // Back from signing in elsewhere: the page is given the new session's token, then saves
  addEventListener("focus", async () => {
    if (!signedOut.size) return;
    const page = await fetch(location.href, { credentials: "same-origin" });
    if (!page.ok || page.redirected) return;
    const fresh = new DOMParser().parseFromString(await page.text(), "text/html").body.dataset.csrf;
    if (fresh) document.body.dataset.csrf = fresh;
    for (const field of document.querySelectorAll('[name="csrfmiddlewaretoken"]')) field.value = fresh ?? field.value;
    const forms = [...signedOut];
    signedOut.clear();
    forms.forEach(again);
  });

  // Sent in the ordinary way after all: nothing is left behind, whatever else is still being saved
  document.addEventListener("submit", (event) => event.defaultPrevented || sent.add(event.target));
  addEventListener("pageshow", () => sent.clear());

  // Somebody chose to take what is stored instead
  document.addEventListener("click", (event) => event.target.closest("[data-discard]") && waiting.clear());

  addEventListener("online", () => waiting.forEach(again));

  addEventListener("beforeunload", (event) => {
    for (const form of waiting) if (!form.isConnected || sent.has(form)) waiting.delete(form);
    if (waiting.size) event.preventDefault();
  });
})();
