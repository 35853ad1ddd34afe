// Puts the page together: which model is there, the four actions, what is going on.

import { access, info } from "./api.js";
import { codeOfMap, codeOfRanking, codeOfSimilarity, codeOfText, makeCode } from "./code.js";
import { element } from "./dom.js";
import { startLive } from "./live.js";
import { makeMap } from "./map.js";
import { makeRanking } from "./ranking.js";
import { makeSimilarity } from "./similarity.js";
import { makeTabs } from "./tabs.js";
import { makeText } from "./text.js";

const AGAIN_MS = 1000; // while models are being loaded
const AT = "#/"; // not the id alone, which the browser would scroll to

const facts = document.getElementById("model-facts");
const key = document.getElementById("key");
const models = document.getElementById("model");
let again = null;

async function connect() {
  clearTimeout(again);
  try {
    const found = await info();
    listModels(found);
    facts.textContent = described(found);
    facts.classList.remove("problem");
  } catch (error) {
    facts.textContent = error.status ? `${error.status}: ${error.message}` : error.message;
    facts.classList.add("problem");
    if (error.status === 401) key.focus();
    else again = setTimeout(connect, AGAIN_MS);
  }
  document.dispatchEvent(new Event("access-changed"));
}

function listModels(found) {
  const names = found.models.map((model) => model.served_name);
  access.severalModels = names.length > 1;
  access.model ??= names[0];
  document.getElementById("model-field").hidden = !access.severalModels;
  models.replaceChildren(...names.map((name) => element("option", { selected: name === access.model }, name)));
}

function described(found) {
  const parts = [
    access.model,
    `${found.dimension} dimensions`,
    `${found.max_tokens} tokens`,
    `${found.precision} on ${found.isa}`,
  ];
  return parts.join(" · ");
}

function followTabs() {
  const tabs = makeTabs(document.getElementById("tabs"), (tab) => {
    history.replaceState(null, "", `${AT}${tab.getAttribute("aria-controls")}`);
  });
  const open = () => {
    const tab = document.getElementById(`tab-${location.hash.slice(AT.length)}`);
    if (tab) tabs.choose(tab);
  };
  window.addEventListener("hashchange", open);
  open();
}

const actions = {
  text: [makeText, codeOfText],
  similarity: [makeSimilarity, codeOfSimilarity],
  ranking: [makeRanking, codeOfRanking],
  map: [makeMap, codeOfMap],
};
for (const [name, [make, code]] of Object.entries(actions)) {
  const panel = document.getElementById(name);
  make(panel);
  makeCode(panel, code(panel));
}

followTabs();
key.value = access.key;
key.addEventListener("change", () => {
  access.key = key.value.trim();
  connect();
});
models.addEventListener("change", () => {
  access.model = models.value;
  connect();
});
document.getElementById("access").addEventListener("submit", (event) => {
  event.preventDefault();
  access.key = key.value.trim();
  connect();
});

connect();
startLive(document.getElementById("live"));
