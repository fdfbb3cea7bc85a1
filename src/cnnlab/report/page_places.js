"use strict";
// Where the reader was, kept in the browser's history: reloading and coming back lead there again.
const before = history.state ?? { tables: {}, heights: {}, open: {}, scroll: 0, focus: "" };
const tables = {}; // name: { column, direction, most, filter }, as each table keeps it

function remember() {
  const at = document.activeElement;
  history.replaceState({
    tables,
    heights: Object.fromEntries([...document.querySelectorAll(".chart")].map((one) => [one.dataset.chart, one.offsetHeight])),
    open: Object.fromEntries([...document.querySelectorAll("details[id]")].map((one) => [one.id, one.open])),
    scroll: window.scrollY,
    focus: at?.id ?? "",
    caret: at?.selectionStart ?? null,
  }, "");
}

function goBack() {
  for (const one of document.querySelectorAll(".chart")) one.style.minHeight = `${before.heights[one.dataset.chart] ?? 0}px`;
  for (const one of document.querySelectorAll("details[id]")) one.open = before.open[one.id] ?? one.open;
  const at = before.focus && document.getElementById(before.focus);
  if (at) at.focus({ preventScroll: true });
  if (at && before.caret !== null) at.setSelectionRange(before.caret, before.caret);
  if (history.state) window.scrollTo(0, before.scroll);
}

history.scrollRestoration = "manual";
// not when the page is left: then the browser does not take it any more
for (const event of ["click", "input", "toggle", "scrollend"]) document.addEventListener(event, remember, { capture: event === "toggle" });
