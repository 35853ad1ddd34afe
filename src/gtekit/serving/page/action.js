// What the four actions share: a form that is sent by its button or Ctrl+Enter, a summary, an error in the API's words.

import { count } from "./dom.js";

export function makeAction(panel, run) {
  const form = panel.querySelector("form");
  const summary = panel.querySelector(".summary");
  const problem = panel.querySelector(".problem");
  const result = panel.querySelector(".result");
  let running = null;

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    running?.abort(); // only the last press counts
    const mine = new AbortController();
    running = mine;
    panel.setAttribute("aria-busy", "true");
    try {
      const { said, draw } = await run(mine.signal);
      if (running !== mine) return;
      summary.textContent = said;
      summary.hidden = result.hidden = false;
      problem.hidden = true;
      draw(); // after it is shown: drawings measure the room that they have
    } catch (error) {
      if (running !== mine || error.name === "AbortError") return;
      problem.textContent = worded(error);
      problem.hidden = false;
      summary.hidden = result.hidden = true;
    } finally {
      if (running === mine) panel.removeAttribute("aria-busy");
    }
  });
  form.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
  });
}

function worded(error) {
  if (error.status) {
    const request = error.requestId ? ` (request ${error.requestId})` : "";
    return `${error.status}: ${error.message}${request}`;
  }
  return error.message;
}

export function checkText(text, what) {
  if (text === "") throw new Error(`Write ${what} first.`);
}

export function checkLines(texts, least, most) {
  if (texts.length < least) throw new Error(`Write ${count(least, "line")} or more, a text on each.`);
  if (texts.length > most) {
    throw new Error(`These are ${count(texts.length, "line")}; this page draws ${count(most, "line")} at most.`);
  }
}

export function cutNote(truncated) {
  if (truncated.length === 0) return "";
  const places = truncated.slice(0, 5).map((place) => place + 1).join(", ");
  return ` Cut at the model's length: line ${places}${truncated.length > 5 ? ", …" : ""}.`;
}
