// Native dialogs and <details> menus. A link with data-dialog-open still leads to its page without script.
(() => {
  "use strict";

  const show = (dialog) => {
    if (!dialog.open) dialog.showModal();
    dialog.querySelector("[autofocus], [aria-invalid='true']")?.focus();
  };

  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-dialog-open]");
    if (opener) {
      const dialog = document.getElementById(opener.dataset.dialogOpen);
      if (dialog) {
        event.preventDefault();
        opener.closest("details.menu")?.removeAttribute("open");
        show(dialog);
      }
      return;
    }
    const closer = event.target.closest("[data-dialog-close]");
    if (closer) {
      event.preventDefault();
      closer.closest("dialog")?.close();
      return;
    }
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      if (!menu.contains(event.target)) menu.open = false;
    }
  });

  // A press that starts and ends on the backdrop closes; one that only ends there (selecting text) does not.
  let pressed = null;
  document.addEventListener("pointerdown", (event) => {
    pressed = event.target;
  });
  document.addEventListener("pointerup", (event) => {
    const dialog = event.target;
    if (dialog !== pressed || !(dialog instanceof HTMLDialogElement)) return;
    const box = dialog.getBoundingClientRect();
    const inside =
      event.clientX >= box.left && event.clientX <= box.right && event.clientY >= box.top && event.clientY <= box.bottom;
    if (!inside) dialog.close();
  });

  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    const menu = document.querySelector("details.menu[open]");
    if (!menu) return;
    menu.open = false;
    menu.querySelector("summary")?.focus();
  });

  document.addEventListener(
    "toggle",
    (event) => {
      const menu = event.target;
      if (!(menu instanceof HTMLDetailsElement) || !menu.matches(".menu") || !menu.open) return;
      for (const other of document.querySelectorAll("details.menu[open]")) {
        if (other !== menu && !other.contains(menu)) other.open = false;
      }
    },
    true, // "toggle" does not bubble
  );

  // The server sends a refused form back inside its dialog, marked to be open.
  const showOpened = (root) => root.querySelectorAll?.("dialog[data-dialog-opened]").forEach(show);
  document.addEventListener("DOMContentLoaded", () => showOpened(document));
  document.addEventListener("htmx:afterSettle", (event) => showOpened(event.detail.elt));
})();
