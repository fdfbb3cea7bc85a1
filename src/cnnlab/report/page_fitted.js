"use strict";
// Charts are specified for a wide page. On a phone labels are broken into lines, panels stand below one another.
const ROOM = 720; // pixels that they are specified for
const LETTER = 6.3; // pixels, on average
const LINE = 13;
const BROKEN = "split(datum.label, '\\n')";

function broken(text, width) {
  const lines = [];
  for (const part of text.split("\n")) {
    lines.push("");
    for (const word of part.split(" ")) {
      const line = `${lines.at(-1)} ${word}`.trim();
      if (line.length > width && lines.at(-1)) lines.push(word);
      else lines[lines.length - 1] = line;
    }
  }
  return lines.join("\n");
}

// Calls seen(object, name) for all objects within a specification, the data left out.
function each(of, seen, name = "") {
  if (of === null || typeof of !== "object") return;
  if (!Array.isArray(of)) seen(of, name);
  for (const [key, value] of Object.entries(of)) if (key !== "datasets") each(value, seen, key);
}

// The nominal field along the vertical axis.
function vertical(of) {
  let field = null;
  each(of, (one, name) => { if (name === "y" && one.type === "nominal") field = one.field; });
  return field;
}

function fitted(specification, room) {
  if (room >= ROOM) return specification;
  const letters = Math.floor((0.4 * room) / LETTER);
  const labels = new Set();
  each(specification, (of, name) => { if (["x", "y", "color", "facet"].includes(name) && of.type === "nominal") labels.add(of.field); });
  const names = new Map(Object.values(specification.datasets).flat().flatMap((row) => [...labels].filter((key) => typeof row[key] === "string").map((key) => [row[key], broken(row[key], letters)])));
  const rename = (key, value) => (typeof value === "string" && key !== "says" && names.has(value) ? names.get(value) : value);
  const made = JSON.parse(JSON.stringify(specification, rename));
  const lines = (field) => Math.max(...Object.values(made.datasets).flat().map((row) => String(row[field] ?? "").split("\n").length));
  each(made, (of, name) => {
    if (of.type === "nominal" && ["x", "y"].includes(name) && of.axis !== null) of.axis = { ...of.axis, labelExpr: BROKEN, labelLimit: 0 };
    if (of.type === "nominal" && of.legend) of.legend = { ...of.legend, labelExpr: BROKEN, columns: Math.min(of.legend.columns ?? 1, 2) };
    if (name === "facet" && of.type === "nominal") of.header = { ...of.header, labelExpr: BROKEN };
    if (name === "title" && of.text) {
      of.frame = "bounds"; // from the left edge, not from where labels end
      of.text = broken([of.text].flat().join(" "), room / 8.5).split("\n");
      if (of.subtitle) of.subtitle = broken([of.subtitle].flat().join(" "), room / LETTER).split("\n");
    }
    const field = vertical(of);
    if (field && of.height?.step) of.height.step = Math.max(of.height.step, LINE * lines(field) + 5);
    if (of.facet && of.columns) {
      of.columns = of.spec.width > room / 2 ? 1 : 2;
      if (of.columns > 1) of.spec.width = of.spec.height = room / 2 - 64;
    }
    if (typeof of.width === "number") of.width = Math.min(of.width, field ? room - LETTER * letters - 24 : room - 64);
    if (of.concat) of.columns = 1;
    // names of points would lie on one another
    if (of.layer) of.layer = of.layer.filter((layer) => layer.encoding?.text?.field !== "condition");
  });
  return made;
}
