// data-copy="<id>" copies the text of that element, data-copy-text="..." copies the text itself.
(() => {
  "use strict";

  const write = async (text) => {
    if (navigator.clipboard && isSecureContext) return navigator.clipboard.writeText(text);
    // Plain http on a host other than localhost has no clipboard API
    const area = document.createElement("textarea");
    area.value = text;
    area.setAttribute("readonly", "");
    area.className = "visually-hidden";
    (document.querySelector("dialog[open]") || document.body).append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    if (!done) throw new Error("refused");
  };

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy], [data-copy-text]");
    if (!button) return;
    const source = document.getElementById(button.dataset.copy);
    const text = button.dataset.copyText ?? source?.value ?? source?.textContent ?? "";
    try {
      await write(text.trim());
      button.classList.add("is-copied");
      window.portal?.announce("Copied");
      setTimeout(() => button.classList.remove("is-copied"), 2000);
    } catch {
      window.portal?.toast("warning", "Copying is not allowed here. Select the text and copy it by hand.");
    }
  });
})();
