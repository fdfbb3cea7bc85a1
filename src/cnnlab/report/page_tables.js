"use strict";
// Tables: sorted by a click on a column's name, filtered by words, and drawn only as far as a reader looks.
const report = JSON.parse(document.getElementById("data").textContent);
const STEP = 200;
const alphabet = new Intl.Collator(undefined, { numeric: true });

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
  return alphabet.compare(a[0], b[0]);
}

function searchable(section) {
  const { columns, rows } = report.tables[section.dataset.table];
  const table = section.querySelector("table");
  const input = section.querySelector("input");
  const count = section.querySelector(".count");
  const texts = rows.map((row) => row.map((value) => value[0]).join(" ").toLowerCase());
  const state = tables[section.dataset.table] = { column: -1, direction: 1, most: STEP, filter: "", ...before.tables[section.dataset.table] };
  input.value = state.filter;
  const body = node("tbody");
  const kinds = columns.map(({ kind }, place) => (kind === "text" && rows.some((row) => row[place][0].length > 20) ? "text long" : kind));
  const heads = columns.map((column, place) => {
    const button = node("button", { type: "button" }, column.name);
    const head = node("th", { scope: "col", class: kinds[place], "aria-sort": "none" }, button);
    button.addEventListener("click", () => {
      state.direction = state.column === place ? -state.direction : 1;
      state.column = place;
      draw();
    });
    return head;
  });
  table.append(node("thead", {}, node("tr", {}, ...heads)), body);

  function draw() {
    heads.forEach((one, place) => {
      one.setAttribute("aria-sort", place !== state.column ? "none" : state.direction > 0 ? "ascending" : "descending");
    });
    const sought = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    const matching = rows.map((_, n) => n).filter((n) => sought.every((word) => texts[n].includes(word)));
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
      const inside = value[2] ? node("a", { href: value[2] }, value[0]) : kinds[place] === "code" ? node("span", {}, value[0]) : value[0];
      return node("td", { class: kinds[place] }, inside);
    }));
  }

  input.addEventListener("input", () => { state.most = STEP; state.filter = input.value; draw(); });
  draw();
}

document.querySelectorAll(".searchable").forEach(searchable);
