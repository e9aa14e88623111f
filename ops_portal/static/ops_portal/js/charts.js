// Draws every <figure data-chart> with Plotly, fetched only when a page has one. After an htmx swap the plot element is
// still the old one (hx-preserve): it gets the new data and keeps its zoom.
(() => {
  "use strict";

  const source = document.currentScript.dataset.plotly;
  const CONFIG = { displayModeBar: false, responsive: false, doubleClick: "reset", showTips: false };
  const drawn = new WeakMap(); // plot element -> { text, zoomed, revision }
  let loading = null;

  const plotly = () => {
    loading ??= new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = source;
      script.onload = () => resolve(window.Plotly);
      script.onerror = reject;
      document.head.append(script);
    });
    return loading;
  };

  // "--chart-1/18" -> rgba(): a canvas turns any CSS colour (oklch, color-mix, light-dark) into what Plotly reads.
  const probe = document.createElement("i");
  const pen = Object.assign(document.createElement("canvas"), { width: 1, height: 1 }).getContext("2d", {
    willReadFrequently: true,
  });
  let colours = new Map();
  const colour = (name) => {
    if (!colours.has(name)) {
      const [property, share = "100"] = name.split("/");
      probe.hidden = true;
      document.body.append(probe);
      probe.style.color = `var(${property})`;
      pen.clearRect(0, 0, 1, 1);
      pen.fillStyle = getComputedStyle(probe).color;
      pen.fillRect(0, 0, 1, 1);
      probe.remove();
      const [red, green, blue] = pen.getImageData(0, 0, 1, 1).data;
      colours.set(name, `rgba(${red},${green},${blue},${Number(share) / 100})`);
    }
    return colours.get(name);
  };

  const paint = (value, coloured = false) => {
    if (typeof value === "string") return coloured && value.startsWith("--") ? colour(value) : value;
    if (Array.isArray(value)) return coloured ? value.map((item) => paint(item, true)) : value.map((item) => paint(item));
    if (value === null || typeof value !== "object") return value;
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, paint(item, /color/.test(key))]));
  };

  // "Feedback loops and label handling" in lines of at most so many letters
  const wrapped = (name, most = 21) =>
    name.split(" ").reduce((text, word) => {
      const line = text.slice(text.lastIndexOf(">") + 1);
      return line && line.length + word.length >= most ? `${text}<br>${word}` : `${text} ${word}`.trim();
    }, "");

  // A phone has no room for a turned word (the caption names what is drawn), nor for names of rows on one line; its
  // legend has two columns, or one
  const narrow = (layout, data) => {
    delete layout.yaxis.title;
    const long = data.some((trace) => trace.showlegend !== false && (trace.name ?? "").length > 20);
    Object.assign(layout.legend, { entrywidthmode: "fraction", entrywidth: long ? 1 : 0.5, font: { size: 11 } });
    Object.assign(layout.margin, { l: 32, r: 16 });
    if (!data.some((trace) => trace.y?.some((value) => typeof value === "string"))) return;
    for (const trace of data) trace.y = trace.y.map((value) => (typeof value === "string" ? wrapped(value) : value));
    Object.assign(layout.legend, { orientation: "v", entrywidthmode: "pixels", entrywidth: 90 });
    layout.yaxis.tickfont = { size: 10 };
  };

  const plotOf = (figure) => figure.querySelector(".chart-plot");
  const textOf = (figure) => document.getElementById(`${figure.dataset.chart}-data`)?.textContent;

  const fit = new ResizeObserver((entries) => {
    for (const { target, contentRect } of entries) {
      if (contentRect.width && drawn.has(target)) window.Plotly?.Plots.resize(target);
      else if (contentRect.width) draw(target.closest("[data-chart]"));
    }
  });

  const showReset = (plot) => {
    const button = plot.closest("[data-chart]")?.querySelector("[data-chart-reset]");
    if (button) button.hidden = !drawn.get(plot)?.zoomed;
  };

  const draw = async (figure, { again = false } = {}) => {
    const plot = figure && plotOf(figure);
    const text = figure && textOf(figure);
    if (!plot || !text) return;
    fit.observe(plot);
    if (!plot.clientWidth) return; // in a closed <details> or dialog: drawn when it gets a size
    if (drawn.get(plot)?.text === text && !again) {
      showReset(plot);
      return;
    }
    try {
      const Plotly = await plotly();
      const first = !plot.classList.contains("js-plotly-plot");
      const { data, layout } = paint(JSON.parse(text));
      layout.font.family = getComputedStyle(document.body).fontFamily;
      if (plot.clientWidth < 480) narrow(layout, data);
      // A finger on the chart scrolls the page
      layout.dragmode = matchMedia("(pointer: coarse)").matches ? false : "zoom";
      const state = drawn.get(plot) ?? { revision: 0, zoomed: false };
      layout.uirevision = `zoom ${state.revision}`; // the same one keeps the zoom (a bare 0 would not)
      await Plotly.react(plot, data, layout, CONFIG);
      drawn.set(plot, { ...state, text });
      if (first) {
        plot.on("plotly_relayout", (change) => {
          const keys = Object.keys(change).join();
          if (/axis\d*\.autorange/.test(keys)) drawn.get(plot).zoomed = false;
          else if (/axis\d*\.range/.test(keys)) drawn.get(plot).zoomed = true;
          showReset(plot);
        });
      }
      showReset(plot);
    } catch (error) {
      figure.classList.add("chart-failed");
      figure.querySelector("details")?.setAttribute("open", "");
      throw error;
    }
  };

  const drawAll = (options) => document.querySelectorAll("[data-chart]").forEach((figure) => draw(figure, options));

  const repaint = () => {
    colours = new Map();
    drawAll({ again: true });
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-chart-reset]");
    const state = button && drawn.get(plotOf(button.closest("[data-chart]")));
    if (!state) return;
    Object.assign(state, { zoomed: false, revision: state.revision + 1 });
    draw(button.closest("[data-chart]"), { again: true });
  });

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", () => drawAll());
  else drawAll();
  // A table that somebody reads stays open when its figure is replaced
  let reading = [];
  document.addEventListener("htmx:beforeSwap", () => {
    reading = [...document.querySelectorAll("[data-chart]:has(.chart-numbers[open])")].map((one) => one.dataset.chart);
  });
  document.addEventListener("htmx:afterSettle", () => {
    for (const id of reading) document.querySelector(`[data-chart="${id}"] .chart-numbers`)?.setAttribute("open", "");
    drawAll();
  });
  document.addEventListener("portal:theme", repaint);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", repaint);
})();
