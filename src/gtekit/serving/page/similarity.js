// Every text with every text: a table of cosines, coloured.

import { embed } from "./api.js";
import { checkLines, cutNote, makeAction } from "./action.js";
import { element, lines } from "./dom.js";
import { cosine } from "./vectors.js";

const MOST_LINES = 40;
const MOST_WITH_NUMBERS = 12; // more, and the numbers no longer fit a phone

export function makeSimilarity(panel) {
  const input = panel.querySelector("#similarity-input");
  const table = panel.querySelector(".heat");
  const readout = panel.querySelector(".readout");

  makeAction(panel, async (signal) => {
    const texts = lines(input.value);
    checkLines(texts, 2, MOST_LINES);
    const { vectors, tokens, truncated } = await embed(texts, signal);
    const scores = vectors.map((a) => vectors.map((b) => cosine(a, b)));
    const pairs = ranked(scores);
    const low = Math.min(pairs.at(-1).score, 0.999);
    return {
      said: `${texts.length} texts, ${tokens} tokens. Colours run from the least alike pair to 1.${cutNote(truncated)}`,
      draw: () => {
        drawTable(table, texts, scores, low);
        panel.querySelector(".low").textContent = low.toFixed(2);
        panel.querySelector(".high").textContent = "1.00";
        tell(readout, "Most alike", texts, pairs[0]);
      },
    };
  });

  const point = (event) => {
    const cell = event.target.closest("td");
    if (!cell) return;
    const pair = { row: Number(cell.dataset.row), column: Number(cell.dataset.column), score: cell.dataset.score };
    tell(readout, "", [...table.querySelectorAll("tbody th")].map((head) => head.title), pair);
  };
  table.addEventListener("pointerover", point);
  table.addEventListener("focusin", point);
  table.addEventListener("keydown", (event) => move(table, event));
}

function ranked(scores) {
  const pairs = scores.flatMap((row, i) => row.slice(0, i).map((score, j) => ({ row: j, column: i, score })));
  return pairs.sort((a, b) => b.score - a.score);
}

function drawTable(table, texts, scores, low) {
  const heads = texts.map((text, i) => element("th", { scope: "col", title: text }, String(i + 1)));
  const rows = scores.map((row, i) => element(
    "tr", {},
    element("th", { scope: "row", title: texts[i] }, element("b", {}, String(i + 1)), element("span", {}, ` ${texts[i]}`)),
    ...row.map((score, j) => heatCell(score, i, j, low)),
  ));
  table.classList.toggle("dense", texts.length > MOST_WITH_NUMBERS);
  table.style.setProperty("--columns", texts.length);
  table.setAttribute("aria-label", "Cosines; arrow keys go from cell to cell");
  table.replaceChildren(
    element("thead", {}, element("tr", {}, element("td"), ...heads)),
    element("tbody", {}, ...rows),
  );
  table.querySelector("tbody td").tabIndex = 0;
}

function heatCell(score, row, column, low) {
  const place = Math.max(0, (score - low) / (1 - low));
  const rounded = score.toFixed(2).replace(/^-(?=0\.00$)/, "");
  const places = { tabindex: -1, "data-row": row, "data-column": column, "data-score": score };
  const cell = element("td", places, rounded);
  cell.style.setProperty("--place", Math.min(place, 1).toFixed(3));
  return cell;
}

function tell(readout, title, texts, { row, column, score }) {
  readout.replaceChildren(
    element("p", { class: "score" }, title ? `${title}: ` : "", element("b", {}, Number(score).toFixed(4))),
    element("p", {}, element("b", {}, String(row + 1)), ` ${texts[row]}`),
    element("p", {}, element("b", {}, String(column + 1)), ` ${texts[column]}`),
  );
}

function move(table, event) {
  const step = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] }[event.key];
  const from = event.target.closest("td");
  if (!step || !from) return;
  event.preventDefault();
  const row = Number(from.dataset.row) + step[0];
  const column = Number(from.dataset.column) + step[1];
  const to = table.querySelector(`td[data-row="${row}"][data-column="${column}"]`);
  if (!to) return;
  from.tabIndex = -1;
  to.tabIndex = 0;
  to.focus();
}
