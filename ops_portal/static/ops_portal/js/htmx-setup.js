// What every htmx request and every page shares: the CSRF header, toasts, a word when a request fails.
(() => {
  "use strict";

  const region = () => document.getElementById("toasts");

  const arm = (toast) => {
    // What went wrong stays until it is dismissed; good news leaves by itself, unless somebody is reading it.
    if (!["success", "info"].includes(toast.dataset.toast)) return;
    const leave = () => {
      if (toast.matches(":hover, :focus-within")) setTimeout(leave, 2000);
      else toast.remove();
    };
    setTimeout(leave, 8000);
  };

  const toast = (level, text) => {
    const template = document.getElementById("toast-template");
    if (!template || !region()) return;
    for (const shown of region().querySelectorAll("[data-toast-text]")) {
      if (shown.textContent === text) return; // a failing poll says it once
    }
    const made = template.content.firstElementChild.cloneNode(true);
    made.className = `toast toast-${level}`;
    made.dataset.toast = level;
    made.querySelector("[data-toast-text]").textContent = text;
    region().append(made);
    arm(made);
  };

  const announce = (text) => {
    const line = document.createElement("p");
    line.className = "visually-hidden";
    line.textContent = text;
    region()?.append(line);
    setTimeout(() => line.remove(), 2000);
  };

  window.portal = { ...window.portal, toast, announce };

  document.addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll("[data-toast]").forEach(arm);
    document.querySelector(".side-nav [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
  });
  document.addEventListener("htmx:oobAfterSwap", (event) => event.target.querySelectorAll?.("[data-toast]").forEach(arm));
  document.addEventListener("click", (event) => event.target.closest("[data-toast-close]")?.closest("[data-toast]").remove());

  document.addEventListener("htmx:configRequest", (event) => {
    const token = document.body.dataset.csrf;
    if (token && event.detail.verb !== "get") event.detail.headers["X-CSRFToken"] = token;
  });

  const messageOf = (xhr) => {
    try {
      return JSON.parse(xhr.responseText).error.message;
    } catch {
      if (xhr.status === 403) return "You are not allowed to do this, or your session has ended. Reload the page.";
      if (xhr.status === 404) return "This is not there any more. Reload the page.";
      return "Something went wrong on our side. Nothing was changed; try again.";
    }
  };
  document.addEventListener("htmx:responseError", (event) => toast("error", messageOf(event.detail.xhr)));
  for (const name of ["htmx:sendError", "htmx:timeout"]) {
    document.addEventListener(name, () => toast("warning", "The portal cannot be reached. What you see may be out of date."));
  }
  document.addEventListener("htmx:afterRequest", (event) => {
    if (!event.detail.successful) return;
    for (const shown of document.querySelectorAll('[data-toast="warning"] [data-toast-text]')) {
      if (shown.textContent.startsWith("The portal cannot be reached")) shown.closest("[data-toast]").remove();
    }
  });
})();
