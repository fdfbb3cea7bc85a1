// Text comes in as text only (textContent), so that no name of a class or file can bring in code.
const one = (id) => document.getElementById(id);
const percent = (share) => `${(100 * share).toFixed(1)} %`;
let asked = 0; // answers to earlier questions are not shown

async function json(path, options) {
  let response;
  try {
    response = await fetch(path, options);
  } catch {
    throw new Error("The server does not answer. Does cnnlab serve still run?");
  }
  const kind = response.headers.get("content-type") ?? "";
  const said = kind.startsWith("application/json") ? await response.json() : { error: await response.text() };
  if (!response.ok) throw new Error(said.error);
  return said;
}

function made(name, text) {
  const element = document.createElement(name);
  if (text !== undefined) element.textContent = text;
  return element;
}

function row({ class: name, probability }) {
  const line = made("tr");
  const bar = made("meter");
  bar.value = probability;
  bar.ariaLabel = `probability of ${name}`;
  const place = made("td");
  place.append(bar);
  line.append(made("td", name), place, made("td", percent(probability)));
  return line;
}

function show(answer, is) {
  const [best] = answer.top;
  one("says").textContent = `It says ${best.class}, ${percent(best.probability)}` + (is === undefined ? "" : ` (it is ${is})`);
  one("seen").src = answer.seen;
  one("where").hidden = answer.map === null;
  if (answer.map !== null) one("map").src = answer.map;
  one("why").textContent = answer.why_no_map && `No Grad-CAM: ${answer.why_no_map}.`;
  one("top").replaceChildren(...answer.top.map(row));
  one("answer").hidden = false;
}

async function ask(path, body, is) {
  const mine = ++asked;
  document.body.classList.add("busy");
  one("error").hidden = true;
  try {
    const answer = await json(path, { method: "POST", body });
    if (mine === asked) show(answer, is);
  } catch (error) {
    if (mine === asked) {
      one("answer").hidden = true;
      complain(error.message);
    }
  } finally {
    if (mine === asked) document.body.classList.remove("busy");
  }
}

function complain(words) {
  one("error").textContent = words;
  one("error").hidden = false;
}

function take(files) {
  if (files.length !== 1) return complain(files.length ? "One image at a time, please." : "That was no file.");
  if (files[0].size > about.most_bytes) return complain(`The file has more than ${about.most_bytes / 2 ** 20} MiB, which is too large.`);
  return ask("predict", files[0]);
}

const drop = one("drop");
one("file").addEventListener("change", (event) => event.target.files.length && take(event.target.files));
// on the whole page: a file that misses the field would else be opened by the browser
document.addEventListener("dragover", (event) => {
  event.preventDefault();
  drop.classList.add("over");
});
document.addEventListener("dragleave", () => drop.classList.remove("over"));
document.addEventListener("drop", (event) => {
  event.preventDefault();
  drop.classList.remove("over");
  take(event.dataTransfer.files);
});

function button(name, number) {
  const made_of = made("button");
  const picture = made("img");
  picture.src = `examples/${number}.png`;
  picture.alt = "";
  made_of.type = "button";
  made_of.append(picture, made("span", name));
  made_of.addEventListener("click", () => ask(`examples/${number}/predict`, undefined, name));
  return made_of;
}

const about = await json("about").catch((error) => complain(error.message));
if (about) {
  const tested = about.accuracy === null ? "" : `, ${percent(about.accuracy)} of the test images right`;
  document.title = about.name;
  one("name").textContent = about.name;
  one("facts").textContent = `${about.folder}: ${about.classes.length} classes, ${about.size} x ${about.size} pixels${tested}`;
  one("none").textContent = about.examples.why_none && `There is none to show: ${about.examples.why_none}.`;
  one("examples").append(...about.examples.classes.map(button));
}
document.body.dataset.ready = "yes";
