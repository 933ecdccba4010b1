"use strict";
const sheet = JSON.parse(document.getElementById("sheet").textContent);
const place = "bioner-review-" + sheet.review;
const judge = document.getElementById("judge");
const state = document.getElementById("state");
const article = (id) => document.getElementById("row-" + id);
const answerOf = (id) => (article(id).querySelector("input[type=radio]:checked") || { value: "" }).value;
const commentOf = (id) => article(id).querySelector("input.comment").value;
const missing = () => sheet.rows.filter((row) => !answerOf(row.id));
let unkept = "";

function show() {
  const done = sheet.rows.length - missing().length;
  state.textContent = done + " of " + sheet.rows.length + unkept;
}

function keep() {
  const rows = {};
  for (const { id } of sheet.rows) rows[id] = [answerOf(id), commentOf(id)];
  try {
    localStorage.setItem(place, JSON.stringify({ judge: judge.value, rows }));
    unkept = "";
  } catch (error) {
    unkept = ", not kept: save before you close the page";
  }
  show();
}

function restore() {
  let kept = null;
  try {
    kept = JSON.parse(localStorage.getItem(place));
  } catch (error) {
    unkept = ", not kept: save before you close the page";
  }
  if (kept) {
    judge.value = kept.judge;
    for (const { id } of sheet.rows) {
      const [answer, comment] = kept.rows[id] || ["", ""];
      for (const input of article(id).querySelectorAll("input[type=radio]")) input.checked = input.value === answer;
      article(id).querySelector("input.comment").value = comment;
    }
  }
  show();
}

function cell(text) {
  let plain = text.replace(/[\s\u0000-\u001f\u007f-\u009f]+/g, " ").trim();
  if (plain && sheet.formula.includes(plain[0])) plain = "'" + plain;
  return /["\t]/.test(plain) ? '"' + plain.replace(/"/g, '""') + '"' : plain;
}

function save() {
  const lines = sheet.rows.map((row) => [row.line, answerOf(row.id), cell(commentOf(row.id))].join("\t"));
  const text = "\ufeff" + [sheet.header, ...lines].join("\n") + "\n";
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "text/tab-separated-values;charset=utf-8" }));
  const name = judge.value.replace(/[^\p{L}\p{N}]+/gu, " ").trim().replaceAll(" ", "-") || "judge";
  link.download = "review-" + name + (missing().length ? "-unfinished" : "") + ".tsv";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}

function next() {
  const [row] = missing();
  if (!row) return;
  article(row.id).scrollIntoView();
  article(row.id).querySelector("input").focus({ preventScroll: true });
}

function clear() {
  if (!confirm("Remove all answers from this page?")) return;
  for (const input of document.querySelectorAll("input[type=radio]")) input.checked = false;
  for (const input of document.querySelectorAll("input[type=text]")) input.value = "";
  keep();
}

document.addEventListener("input", keep);
document.getElementById("save").addEventListener("click", save);
document.getElementById("next").addEventListener("click", next);
document.getElementById("clear").addEventListener("click", clear);
restore();
