// One text: its tokens, where it would be cut, its vector.

import { access, ask, embed, info } from "./api.js";
import { checkText, makeAction } from "./action.js";
import { makeCopy } from "./copying.js";
import { count, element, shape } from "./dom.js";

const MOST_CHIPS = 1500; // more would only slow the page down
const FIRST_NUMBERS = 8;

export function makeText(panel) {
  const input = panel.querySelector("#text-input");
  let vector = [];

  makeAction(panel, async (signal) => {
    checkText(input.value, "a text");
    const body = { inputs: input.value, model: access.model };
    const [tokenized, embedded, facts] = await Promise.all([
      ask("tokenize", { body, signal }),
      embed([input.value], signal),
      info(signal),
    ]);
    const tokens = tokenized.value[0];
    vector = [...embedded.vectors[0]];
    return {
      said: summary(tokens.length, facts.max_tokens),
      draw: () => {
        drawTokens(panel.querySelector(".tokens"), tokens, facts.max_tokens);
        drawStrip(panel.querySelector(".strip"), vector);
        panel.querySelector(".numbers").textContent = preview(vector);
      },
    };
  });
  makeCopy(panel.querySelector(".copy-vector"), () => JSON.stringify(vector.map(shortest)));
}

function summary(length, limit) {
  if (length <= limit) return `${count(length, "token")} of ${limit} that the model reads: nothing is cut.`;
  return `${count(length, "token")}, and the model reads ${limit}: the last ${(length - limit).toLocaleString("en")} `
    + "before [SEP] are cut.";
}

function drawTokens(list, tokens, limit) {
  const last = tokens.length - 1;
  const isCut = (at) => tokens.length > limit && at >= limit - 1 && at < last; // [SEP] is always read
  const items = tokens.slice(0, MOST_CHIPS).flatMap((token, at) => {
    const chip = element("li", { class: token.special ? "special" : "", title: `id ${token.id}` });
    chip.append(isCut(at) ? element("del", {}, token.text) : token.text);
    if (isCut(at)) chip.classList.add("cut");
    return isCut(at) && at === limit - 1 ? [element("li", { class: "scissors" }, "cut here"), chip] : [chip];
  });
  const more = tokens.length - MOST_CHIPS;
  if (more > 0) items.push(element("li", { class: "more" }, `${more.toLocaleString("en")} more`));
  list.replaceChildren(...items);
  const scissors = list.querySelector(".scissors");
  list.scrollTop = scissors ? scissors.offsetTop - list.clientHeight / 2 : 0;
}

function drawStrip(svg, vector) {
  const largest = Math.max(...vector.map(Math.abs));
  const bars = vector.map((number, i) => `M${i + 0.5} 0V${(-number / largest).toFixed(3)}`).join("");
  svg.setAttribute("viewBox", `0 -1 ${vector.length} 2`);
  svg.setAttribute("preserveAspectRatio", "none");
  svg.replaceChildren(shape("path", { d: bars }));
}

function preview(vector) {
  const rest = vector.length - FIRST_NUMBERS;
  const numbers = vector.slice(0, FIRST_NUMBERS).map((number) => number.toFixed(4)).join("  ");
  return rest > 0 ? `${numbers}  … ${rest} more` : numbers;
}

// The shortest digits that give the same float32: a double would be written with up to 17.
function shortest(number) {
  for (let digits = 6; digits < 9; digits += 1) {
    const short = Number(number.toPrecision(digits));
    if (Math.fround(short) === number) return short;
  }
  return Number(number.toPrecision(9));
}
