"use strict";
// Tables: sorted by a click on a column's name, filtered by words, and drawn only as far as a reader looks.
const report = JSON.parse(document.getElementById("data").textContent);
const STEP = 200;

function node(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function compare(a, b) {
  const [first, second] = [a[1] ?? null, b[1] ?? null];
  if (first !== null && second !== null) return first - second;
  if (first !== null || second !== null) return first === null ? 1 : -1; // what is not known comes last
  return a[0].localeCompare(b[0], undefined, { numeric: true });
}

function searchable(section) {
  const { columns, rows } = report.tables[section.dataset.table];
  const table = section.querySelector("table");
  const input = section.querySelector("input");
  const count = section.querySelector(".count");
  const texts = rows.map((row) => row.map((value) => value[0]).join(" ").toLowerCase());
  const state = { column: -1, direction: 1, most: STEP };
  const body = node("tbody");
  const heads = columns.map((column, place) => {
    const button = node("button", { type: "button" }, column.name);
    const head = node("th", { scope: "col", class: column.kind, "aria-sort": "none" }, button);
    button.addEventListener("click", () => {
      state.direction = state.column === place ? -state.direction : 1;
      state.column = place;
      heads.forEach((one) => one.setAttribute("aria-sort", "none"));
      head.setAttribute("aria-sort", state.direction > 0 ? "ascending" : "descending");
      draw();
    });
    return head;
  });
  table.append(node("thead", {}, node("tr", {}, ...heads)), body);

  function draw() {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    const matching = rows.map((_, n) => n).filter((n) => words.every((word) => texts[n].includes(word)));
    if (state.column >= 0) {
      matching.sort((a, b) => state.direction * compare(rows[a][state.column], rows[b][state.column]) || a - b);
    }
    const shown = matching.slice(0, state.most);
    body.replaceChildren(...shown.map((n) => line(rows[n])));
    const total = `${matching.length.toLocaleString("en")} of ${rows.length.toLocaleString("en")}`;
    count.textContent = shown.length < matching.length ? `${total} match, the first ${shown.length} are shown` : total;
    if (shown.length < matching.length) {
      const more = node("button", { type: "button" }, "show more");
      more.addEventListener("click", () => { state.most += 5 * STEP; draw(); });
      body.append(node("tr", {}, node("td", { class: "text", colspan: columns.length }, more)));
    }
  }

  function line(row) {
    return node("tr", {}, ...row.map((value, place) => {
      const inside = value[2] ? node("a", { href: value[2] }, value[0]) : value[0];
      return node("td", { class: columns[place].kind }, inside);
    }));
  }

  input.addEventListener("input", () => { state.most = STEP; draw(); });
  draw();
}

document.querySelectorAll(".searchable").forEach(searchable);

// Charts: in the colours of the reader's choice; arrow keys walk through their marks and say what they are.
const dark = window.matchMedia("(prefers-color-scheme: dark)");

async function embed(place) {
  const name = place.dataset.chart;
  const config = report.config[dark.matches ? "dark" : "light"];
  await vegaEmbed(place, report.charts[name], {
    config, renderer: "svg", actions: { export: true, source: false, compiled: false, editor: false },
    downloadFileName: name, logLevel: 1, // errors; Vega-Lite also warns of what is meant
  });
  place.dataset.drawn = dark.matches ? "dark" : "light";
}

function walk(place) {
  const spoken = place.parentElement.querySelector(".spoken");
  let at = -1;
  place.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    const marks = [...place.querySelectorAll('[role="graphics-symbol"][aria-label]')];
    if (!step || !marks.length) return;
    event.preventDefault();
    marks.forEach((mark) => mark.classList.remove("current"));
    at = (at + step + marks.length) % marks.length;
    marks[at].classList.add("current");
    spoken.textContent = `${at + 1} of ${marks.length}: ${marks[at].getAttribute("aria-label")}`;
  });
}

async function draw() {
  for (const place of document.querySelectorAll(".chart")) await embed(place);
  document.body.dataset.drawn = "yes";
}

document.querySelectorAll(".chart").forEach(walk);
dark.addEventListener("change", draw);
draw();

// A page that reloads itself stays where it was.
window.addEventListener("pagehide", () => sessionStorage.setItem("scroll", String(window.scrollY)));
if (document.querySelector('meta[http-equiv="refresh"]')) window.scrollTo(0, Number(sessionStorage.getItem("scroll") ?? 0));
