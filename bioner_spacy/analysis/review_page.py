"""The review sheet as a page that fills itself in: answers by click, kept in the browser, saved as the sheet.

The page needs no network and allows itself none.
"""

import json
from collections.abc import Mapping, Sequence
from html import escape
from itertools import groupby

from ..reports.colors import color_of
from ..reports.spreadsheet import FORMULA, tsv_line
from ..scoring.table import corpus_name
from .review_sheet import ANSWERS, COLUMNS, Row

_STYLE = """
:root { color-scheme: light; }
* { box-sizing: border-box; }
body { font: 16px/1.5 system-ui, sans-serif; color: #000; background: #fff; max-width: 48rem; margin: 0 auto;
  padding: 1rem 1rem 9rem; overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; line-height: 1.2; }
h2 { font-size: 1.25rem; margin: 2.5rem 0 0; }
h2 span { padding: .125rem .5rem; border-radius: .25rem; font-weight: 600; }
p { margin: .25rem 0; }
.note { color: #595959; font-size: .875rem; }
article { border-top: 1px solid #ccc; margin: 1rem 0; padding-top: .75rem; scroll-margin-top: .5rem; }
mark { padding: .0625rem .125rem; border-radius: .125rem; color: #000; font-weight: 600; }
fieldset { display: flex; gap: .5rem; border: 0; margin: .5rem 0; padding: 0; }
legend { position: absolute; clip-path: inset(50%); }
label.answer { flex: 1 1 0; display: flex; align-items: center; justify-content: center; gap: .375rem;
  min-height: 2.75rem; border: 1px solid #767676; border-radius: .375rem; cursor: pointer; }
label.answer:has(:checked) { background: #cfe1f2; border-color: #08306b; font-weight: 600; }
input[type=text] { width: 100%; min-height: 2.75rem; font: inherit; padding: .25rem .5rem; border: 1px solid #767676;
  border-radius: .375rem; }
button { min-height: 2.75rem; padding: 0 .875rem; font: inherit; color: #000; background: #eee;
  border: 1px solid #767676; border-radius: .375rem; cursor: pointer; }
#save { color: #fff; background: #1764ab; border-color: #08306b; }
#bar { position: fixed; left: 0; right: 0; bottom: 0; background: #fff; border-top: 1px solid #767676;
  padding: .5rem 1rem; display: flex; flex-wrap: wrap; gap: .5rem; align-items: center; justify-content: center; }
#judge { width: 8rem; }
"""

# Texts of the page are never put into the script: it reads the cells from a block of data.
_SCRIPT = r"""
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
"""

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<title>Review of {number} predicted mentions</title>
<style>{style}</style>
</head>
<body>
<h1>Review of {number} predicted mentions</h1>
<p>Are the marked words, no more and no less, a mention of the type? Answer unsure where the text does not tell. Look up
what you need, but do not talk to the other judge. Answers are kept in this browser; save them as a file when you are
done.</p>
<noscript><p><strong>This page needs JavaScript; fill in sheet.tsv instead.</strong></p></noscript>
{content}
<p><button type="button" id="clear">Remove all answers</button></p>
<div id="bar">
<span id="state" role="status"></span>
<input type="text" id="judge" placeholder="Your name" aria-label="Your name" autocomplete="off">
<button type="button" id="next">Next</button>
<button type="button" id="save">Save</button>
</div>
<script type="application/json" id="sheet">{data}</script>
<script>{script}</script>
</body>
</html>
"""

_ROW = """<article id="row-{row}">
<p class="note">{number} · {corpus}, {doc_id}</p>
<p>{left}<mark style="background:{color}">{mention}</mark>{right}</p>
<fieldset><legend>Is it {entity_type}?</legend>{answers}</fieldset>
<input type="text" class="comment" placeholder="Comment" aria-label="Comment" autocomplete="off">
</article>
"""


def review_page(rows: Sequence[Row], definitions: Mapping[str, str]) -> str:
    """The page.

    Args:
        rows: predictions, at least one, those of a type together.
        definitions: what each entity type is; types that are not in it go without.

    Returns:
        HTML that needs no other file.
    """
    numbers = {row.row: number for number, row in enumerate(rows, start=1)}
    parts = []
    for entity_type, of_type in groupby(rows, key=lambda row: row.entity_type):
        chip = f'<span style="background:{color_of(entity_type)}">{escape(entity_type)}</span>'
        parts.append(f"<section>\n<h2>{chip}</h2>\n<p>{escape(definitions.get(entity_type, ''))}</p>")
        parts.extend(_article(row, numbers[row.row]) for row in of_type)
        parts.append("</section>")
    data = {
        "review": rows[0].row.partition("-")[0],
        "header": tsv_line(COLUMNS),
        "formula": FORMULA,
        "rows": [{"id": row.row, "line": tsv_line(row.cells())} for row in rows],
    }
    # In a script element no text but "</script" and "<!--" means anything to the browser.
    safe = json.dumps(data, ensure_ascii=False).replace("<", "\\u003c")
    return _PAGE.format(number=len(rows), style=_STYLE, script=_SCRIPT, content="\n".join(parts), data=safe)


def _article(row: Row, number: int) -> str:
    """A prediction with its buttons."""
    answers = "".join(
        f'<label class="answer"><input type="radio" name="{row.row}" value="{answer}" autocomplete="off">{answer}</label>'
        for answer in ANSWERS
    )
    texts = {name: escape(getattr(row, name)) for name in ("left", "mention", "right", "doc_id", "entity_type")}
    color, corpus = color_of(row.entity_type), escape(corpus_name(row.corpus))
    return _ROW.format(row=row.row, number=number, corpus=corpus, color=color, answers=answers, **texts)
