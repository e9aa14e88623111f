// Keeps "3 min ago" true while a page stays open. The words are those of ops_portal/templatetags/reading.py.
(() => {
  "use strict";

  const ago = (seconds) => {
    const size = Math.abs(seconds);
    if (size < 10) return "just now";
    const [unit, name] = size < 60 ? [1, "s"] : size < 3600 ? [60, "min"] : size < 86400 ? [3600, "h"] : [86400, "day"];
    const count = Math.floor(size / unit);
    const text = `${count} ${name}${name === "day" && count !== 1 ? "s" : ""}`;
    return seconds > 0 ? `${text} ago` : `in ${text}`;
  };

  const refresh = () => {
    if (document.hidden) return;
    for (const time of document.querySelectorAll("time[data-ago]")) {
      const text = ago((Date.now() - Date.parse(time.dateTime)) / 1000);
      if (time.textContent !== text) time.textContent = text;
    }
  };

  setInterval(refresh, 15_000);
  document.addEventListener("visibilitychange", refresh);
})();
