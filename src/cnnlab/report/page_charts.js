"use strict";
// Charts: in the colours of the reader's choice and as wide as there is room; arrow keys walk through their marks and
// say what they are; their numbers stand below.
const dark = window.matchMedia("(prefers-color-scheme: dark)");
const NUMBERS = 100; // rows that are shown

async function embed(place) {
  const name = place.dataset.chart;
  const config = report.config[dark.matches ? "dark" : "light"];
  await vegaEmbed(place, fitted(report.charts[name], place.clientWidth), {
    config, renderer: "svg", actions: { export: true, source: false, compiled: false, editor: false },
    downloadFileName: name, logLevel: 1, // errors
    ast: true, // expressions are interpreted: the page's policy forbids code that is made of text
  });
  place.style.minHeight = "";
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

function written(value) {
  if (value === null || value === undefined) return "–";
  if (typeof value === "boolean") return value ? "yes" : "no";
  return String(value).replaceAll("\n", " ");
}

function numbersOf(name, { data, columns }) {
  const rows = data.flatMap((of) => report.charts[name].datasets[of]);
  const kinds = columns.map(([key]) => (typeof rows[0][key] === "number" ? "number" : "text"));
  const head = columns.map(([, title], n) => node("th", { scope: "col", class: kinds[n] }, title));
  const body = rows.slice(0, NUMBERS).map((row) => node("tr", {}, ...columns.map(([key], n) => node("td", { class: kinds[n] }, written(row[key])))));
  const table = node("table", {}, node("thead", {}, node("tr", {}, ...head)), node("tbody", {}, ...body));
  const said = `The first ${NUMBERS} of ${rows.length.toLocaleString("en")} rows; report.json has them all.`;
  return [
    node("div", { class: "wide", tabindex: "0", role: "region", "aria-label": "Numbers of the chart" }, table),
    ...(rows.length > NUMBERS ? [node("p", { class: "note" }, said)] : []),
  ];
}

function numbers(details) {
  const name = details.id.replace("numbers-", "");
  const fill = () => { // not before it is read: charts draw thousands of numbers
    if (!details.open || details.querySelector("table")) return;
    details.append(...report.numbers[name].flatMap((table) => numbersOf(name, table)));
  };
  details.addEventListener("toggle", fill);
  fill();
}

let drawn = Promise.resolve();
function draw() {
  drawn = drawn.then(async () => {
    for (const place of document.querySelectorAll(".chart")) await embed(place);
    document.body.dataset.drawn = "yes";
  });
}

let room = document.body.clientWidth, resized = 0;
window.addEventListener("resize", () => {
  clearTimeout(resized);
  resized = setTimeout(() => {
    const now = document.body.clientWidth;
    if (now !== room && Math.min(now, room) < ROOM) draw();
    room = now;
  }, 200);
});
dark.addEventListener("change", () => { if (!window.matchMedia("print").matches) draw(); }); // paper turns dark charts round by itself

goBack();
document.querySelectorAll(".chart").forEach(walk);
document.querySelectorAll(".numbers").forEach(numbers);
goBack();
draw();
