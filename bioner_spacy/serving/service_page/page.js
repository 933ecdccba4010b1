"use strict";
const byId = (id) => document.getElementById(id);
const [form, text, example, status, result, legend] = ["form", "text", "example", "status", "result", "legend"].map(byId);
const [threshold, least, drawn, rows, tip, annotate, nothing] = ["threshold", "least", "drawn", "rows", "tip", "annotate", "nothing"].map(byId);
const colors = new Map();
const off = new Set(); // entity types that are switched off
let known = []; // entity types of the pipeline
let shown = null; // the text that was annotated, its characters and its entities
let asked = 0;

// Elements are made here with texts as text nodes: nothing of a text or of an answer is ever read as markup.
function make(name, properties, ...children) {
  const element = Object.assign(document.createElement(name), properties);
  element.append(...children);
  return element;
}

function color(type) {
  return colors.get(type) || "#8b8b14";
}

function say(message, bad) {
  status.textContent = message;
  status.classList.toggle("bad", Boolean(bad));
}

function score(entity) {
  return entity.score === null ? "" : entity.score.toFixed(2);
}

function isVisible(entity) {
  return !off.has(entity.type) && (entity.score === null || entity.score >= Number(threshold.value));
}

// What goes wrong before there is an answer, in one sentence.
async function post(body) {
  let response;
  try {
    response = await fetch("annotate", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
  } catch (error) {
    throw new Error("The service does not answer: try again later.");
  }
  if (response.ok) return response;
  const answer = await response.json().catch(() => ({}));
  throw new Error(typeof answer.detail === "string" ? answer.detail : "The service failed with status " + response.status + ".");
}

async function run() {
  const value = text.value;
  if (!value.trim()) {
    say("There is no text: paste one, or pick an example.", true);
    text.focus();
    return;
  }
  const number = ++asked;
  const start = performance.now();
  annotate.disabled = true;
  say("Annotating …");
  try {
    const answer = await (await post({ text: value })).json();
    if (number !== asked) return;
    const entities = answer.documents[0].entities;
    entities.forEach((entity, index) => (entity.index = index));
    shown = { text: value, characters: Array.from(value), entities, seconds: (performance.now() - start) / 1000 };
    result.hidden = false;
    drawLegend();
    draw();
    if (result.getBoundingClientRect().top > window.innerHeight - 240) status.scrollIntoView(); // on a phone it is below
  } catch (error) {
    if (number === asked) say(error.message, true);
  } finally {
    if (number === asked) annotate.disabled = false;
  }
}

function drawLegend() {
  const counts = new Map();
  for (const { type } of shown.entities) counts.set(type, (counts.get(type) || 0) + 1);
  const types = [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
  const boxes = types.map(([type]) => make("input", { type: "checkbox", checked: !off.has(type), value: type }));
  const choose = () => {
    for (const { value, checked } of boxes) checked ? off.delete(value) : off.add(value);
    draw();
  };
  const labels = types.map(([type, count], number) => {
    boxes[number].addEventListener("change", choose);
    const label = make("label", { className: "type" }, boxes[number], type + " " + count);
    label.style.setProperty("--c", color(type));
    return label;
  });
  const all = [true, false].map((checked) => {
    const button = make("button", { type: "button", className: "all" }, checked ? "All" : "None");
    button.addEventListener("click", () => {
      for (const box of boxes) box.checked = checked;
      choose();
    });
    return button;
  });
  legend.replaceChildren(legend.querySelector("legend"), ...labels, ...(types.length > 1 ? all : []));
  const none = known.filter((type) => !counts.has(type));
  nothing.textContent = none.length ? "None found: " + none.join(", ") : "";
}

// Entities become elements inside each other. One that ends after the entity around it is cut there, and goes on after it.
function draw() {
  const visible = shown.entities.filter(isVisible);
  const { characters } = shown;
  const order = [...visible].sort((a, b) => a.start - b.start || b.end - a.end || a.index - b.index);
  const root = document.createDocumentFragment();
  let open = []; // from the outermost to the innermost
  let place = 0;
  const target = () => (open.length ? open[open.length - 1].element : root);
  const write = (end) => {
    if (end > place) target().append(characters.slice(place, end).join(""));
    place = Math.max(place, end);
  };
  const push = (entity, first) => {
    if (open.length) open[open.length - 1].element.classList.add("outer");
    const element = mark(entity, first);
    target().append(element);
    open.push({ entity, element });
  };
  const closeBefore = (end) => {
    while (open.length) {
      const next = Math.min(...open.map(({ entity }) => entity.end));
      if (next > end) return;
      write(next);
      const deepest = open.findIndex(({ entity }) => entity.end === next);
      const cut = open.slice(deepest).filter(({ entity }) => entity.end > next);
      for (const { entity, element } of open.slice(deepest).reverse()) {
        if (entity.end === next) element.append(make("span", { className: "name", ariaHidden: "true" }, entity.type));
      }
      open = open.slice(0, deepest);
      for (const { entity } of cut) push(entity, false);
    }
  };
  for (const entity of order) {
    closeBefore(entity.start);
    write(entity.start);
    push(entity, true);
  }
  closeBefore(characters.length);
  write(characters.length);
  drawn.replaceChildren(root);
  tip.hidden = true;
  drawTable(order);
  const total = shown.entities.length;
  const some = visible.length === total ? "" : " of " + total;
  say(visible.length + some + (total === 1 ? " entity" : " entities") + " in " + shown.seconds.toFixed(2) + " s");
}

function mark(entity, first) {
  const element = make("span", { className: "entity" });
  element.style.setProperty("--c", color(entity.type));
  element.dataset.index = entity.index;
  if (first) {
    element.tabIndex = 0;
    element.setAttribute("role", "mark");
    element.setAttribute("aria-label", describe(entity).replaceAll("\n", ", "));
  }
  return element;
}

function describe(entity) {
  const parts = [entity.text, entity.type + (entity.score === null ? "" : ", score " + score(entity))];
  if (entity.identifiers.length) parts.push(entity.identifiers.join(", "));
  if (!entity.flat) parts.push("not in the flat view");
  return parts.join("\n");
}

function drawTable(entities) {
  rows.replaceChildren(
    ...entities.map((entity) =>
      make("tr", {}, ...[entity.text, entity.type, score(entity), entity.start + "–" + entity.end].map((cell) => make("td", {}, cell))),
    ),
  );
}

function light(event) {
  const element = event.target instanceof Element ? event.target.closest(".entity") : null;
  for (const lit of drawn.querySelectorAll(".lit")) lit.classList.remove("lit");
  tip.hidden = !element;
  if (!element) return;
  for (const part of drawn.querySelectorAll('[data-index="' + element.dataset.index + '"]')) part.classList.add("lit");
  tip.textContent = describe(shown.entities[Number(element.dataset.index)]);
  const box = element.getClientRects()[0];
  const left = Math.min(box.left, document.documentElement.clientWidth - tip.offsetWidth - 8);
  const above = box.top - tip.offsetHeight - 6;
  tip.style.left = window.scrollX + Math.max(8, left) + "px";
  tip.style.top = window.scrollY + (above < 0 ? box.bottom + 6 : above) + "px";
}

function hide() {
  for (const lit of drawn.querySelectorAll(".lit")) lit.classList.remove("lit");
  tip.hidden = true;
}

async function download(button) {
  const types = new Set([...known, ...shown.entities.map((entity) => entity.type)]);
  const format = button.dataset.format;
  button.disabled = true;
  try {
    const response = await post({
      text: shown.text,
      types: [...types].filter((type) => !off.has(type)),
      threshold: Number(threshold.value),
      format,
    });
    const link = make("a", {
      href: URL.createObjectURL(await response.blob()),
      download: "entities" + { bioc: ".json", pubtator: ".pubtator", csv: ".csv" }[format],
    });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000);
  } catch (error) {
    say(error.message, true);
  } finally {
    button.disabled = false;
  }
}

async function begin() {
  const response = await fetch("page.json");
  const page = await response.json();
  byId("pipeline").textContent = page.pipeline;
  known = page.types;
  for (const [name, value] of Object.entries(page.colors)) colors.set(name, value);
  page.examples.forEach(({ text }, number) => {
    example.append(make("option", { value: String(number) }, text.split("\n")[0]));
  });
  example.addEventListener("change", () => {
    text.value = example.value ? page.examples[Number(example.value)].text : "";
    if (example.value) run();
  });
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  run();
});
text.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) run();
});
text.addEventListener("input", () => (example.value = ""));
threshold.addEventListener("input", () => {
  least.textContent = Number(threshold.value).toFixed(2);
  draw();
});
drawn.addEventListener("pointerover", light);
drawn.addEventListener("pointerleave", hide);
drawn.addEventListener("focusin", light);
drawn.addEventListener("focusout", hide);
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") hide();
});
for (const button of document.querySelectorAll("[data-format]")) button.addEventListener("click", () => download(button));
begin().catch(() => say("The service does not answer: load the page again.", true));
