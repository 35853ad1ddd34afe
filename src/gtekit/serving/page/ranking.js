// Documents in the order of their cosine with a query.

import { access, ask } from "./api.js";
import { checkLines, checkText, cutNote, makeAction } from "./action.js";
import { count, element, lines } from "./dom.js";

export function makeRanking(panel) {
  const query = panel.querySelector("#ranking-query");
  const input = panel.querySelector("#ranking-input");

  makeAction(panel, async (signal) => {
    const texts = lines(input.value);
    checkText(query.value, "a query");
    checkLines(texts, 1, Infinity);
    const body = { query: query.value, texts, model: access.model };
    const { value, headers } = await ask("rerank", { body, signal });
    return {
      said: `${count(texts.length, "document")}, nearest first.${cutNote(places(headers))}`,
      draw: () => panel.querySelector(".ranking").replaceChildren(...value.map((item) => row(item, texts[item.index]))),
    };
  });
}

function places(headers) {
  const listed = headers.get("x-truncated-indices");
  return listed ? listed.split(",").map(Number) : [];
}

function row({ index, score }, text) {
  const bar = element("span", { class: "bar", "aria-hidden": "true" });
  bar.style.setProperty("--place", Math.max(0, Math.min(1, score)).toFixed(4));
  return element(
    "li", { "data-index": index, "data-score": score },
    element("span", { class: "score" }, score.toFixed(4)),
    element("span", { class: "text" }, text, element("small", {}, ` line ${index + 1}`)),
    bar,
  );
}
