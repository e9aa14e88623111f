// Keys of the ballot: 1 to 9 vote from anywhere but a text; inside another group of radio buttons they choose there.
(() => {
  "use strict";

  const TYPING = "textarea, select, [contenteditable], input:not([type=radio], [type=checkbox], [type=submit])";

  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.altKey || event.ctrlKey || event.metaKey || !/^[0-9]$/.test(event.key)) return;
    const at = document.activeElement;
    if (at?.matches(TYPING) || document.querySelector("dialog[open]")) return;
    const group = at?.closest("[data-keys]") ?? document.querySelector("[data-keys]");
    const radio = group?.querySelector(`input[type="radio"][value="${event.key}"]`);
    if (!radio?.checkVisibility()) return;
    event.preventDefault();
    radio.focus();
    if (!radio.checked) radio.click();
  });
})();
