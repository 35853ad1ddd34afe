// The same call in curl and Python, with the texts and the address of this page. Keys are never written out.

import { access, base } from "./api.js";
import { makeCopy } from "./copying.js";
import { element, lines } from "./dom.js";
import { makeTabs } from "./tabs.js";

export function makeCode(panel, write) {
  const place = panel.querySelector(".code");
  const kinds = Object.keys(write());
  const views = kinds.map((kind) => {
    const id = `${panel.id}-${kind}`;
    const tab = element("button", {
      role: "tab", type: "button", id: `tab-${id}`, "aria-controls": id, "aria-selected": String(kind === kinds[0]),
    }, kind);
    const pre = element("pre", { role: "tabpanel", id, "aria-labelledby": `tab-${id}`, tabindex: 0 });
    return { kind, tab, pre };
  });
  const tabs = views.map((view) => view.tab);
  const list = element("div", { role: "tablist", class: "tabs small", "aria-label": "Languages" }, ...tabs);
  const copy = element("button", { type: "button", class: "copy-code" }, "Copy the code");
  place.append(
    element("h2", {}, "The same in code"),
    element("div", { class: "bar-of-code" }, list, copy),
    ...views.map((view) => view.pre),
  );
  makeTabs(list);
  makeCopy(copy, () => views.find((view) => !view.pre.hidden).pre.textContent);

  const update = () => {
    const written = write();
    for (const { kind, pre } of views) pre.textContent = written[kind];
  };
  update();
  panel.addEventListener("input", update);
  document.addEventListener("access-changed", update);
}

export function codeOfText(panel) {
  const text = () => panel.querySelector("#text-input").value;
  return () => ({
    curl: curl("v1/embeddings", { model: model(), input: text(), ...CUT }),
    gtekit: `${client()}vector = client.encode_one(${python(text())})\n`,
    openai: `${openai(python(text()))}vector = answer.data[0].embedding\n`,
  });
}

export function codeOfSimilarity(panel) {
  const texts = () => lines(panel.querySelector("#similarity-input").value);
  return () => ({
    curl: `# the first text with each of the others\n${curl("similarity", { inputs: firstAndOthers(texts()), ...chosen() })}`,
    gtekit: `${client()}vectors = client.encode(${pythonList(texts())})\nprint(client.similarity(vectors, vectors))\n`,
    openai: `import numpy as np\n${openai(pythonList(texts()))}${ROWS}`
      + "print(vectors @ vectors.T)  # they have length 1, so these are cosines\n",
  });
}

function firstAndOthers([first = "", ...others]) {
  return { source_sentence: first, sentences: others };
}

export function codeOfRanking(panel) {
  const query = () => panel.querySelector("#ranking-query").value;
  const documents = () => lines(panel.querySelector("#ranking-input").value);
  return () => ({
    curl: curl("rerank", { query: query(), texts: documents(), ...chosen() }),
    gtekit: `from gtekit import Client\nfrom gtekit.tasks import rank\n\n${connected()}documents = ${pythonList(documents())}\n`
      + `for found in rank(client, ${python(query())}, documents):\n`
      + "    print(f\"{found.score:.4f} {found.text}\")\n",
    openai: `import numpy as np\n${openai(pythonList([query(), ...documents()]))}${ROWS}`
      + "scores = vectors[1:] @ vectors[0]\nprint(np.argsort(-scores), scores)\n",
    cohere: `${imports(["import cohere"])}client = cohere.ClientV2(${key()}, base_url=${python(address())})\n`
      + `answer = client.rerank(\n    model=${python(model())},\n    query=${python(query())},\n`
      + `    documents=${indent(pythonList(documents()))},\n)\nprint(answer.results)\n`,
  });
}

export function codeOfMap(panel) {
  const texts = () => lines(panel.querySelector("#map-input").value);
  const points = "centred = vectors - vectors.mean(axis=0)\n"
    + "_, _, axes = np.linalg.svd(centred, full_matrices=False)\nprint(centred @ axes[:2].T)  # x and y of each text\n";
  return () => ({
    curl: curl("v1/embeddings", { model: model(), input: texts(), ...CUT }),
    gtekit: `import numpy as np\n${client()}vectors = client.encode(${pythonList(texts())})\n${points}`,
    openai: `import numpy as np\n${openai(pythonList(texts()))}${ROWS}${points}`,
  });
}

const CUT = { on_truncation: "cut" }; // OpenAI refuses a text that is too long
const ROWS = "vectors = np.array([row.embedding for row in answer.data])\n";

function address(path = "") {
  return new URL(path, base).href.replace(/\/$/, "");
}

function model() {
  return access.model ?? "default";
}

function chosen() {
  return access.severalModels ? { model: model() } : {};
}

function curl(path, body) {
  const quoted = JSON.stringify(body, null, 2).replaceAll("'", "'\\''");
  const authorization = access.key ? ` \\\n  -H "authorization: Bearer $GTEKIT_API_KEY"` : "";
  return `curl '${address(path)}' \\\n  -H 'content-type: application/json'${authorization} \\\n  -d '${quoted}'\n`;
}

function client() {
  return `from gtekit import Client\n\n${connected()}`;
}

function connected() {
  const named = access.severalModels ? `, model=${python(model())}` : "";
  const note = access.key ? "  # reads GTEKIT_API_KEY" : "";
  return `client = Client(${python(address())}${named})${note}\n`;
}

function openai(input) {
  return `${imports(["from openai import OpenAI"])}`
    + `client = OpenAI(base_url=${python(address("v1"))}, api_key=${key()})\n`
    + `answer = client.embeddings.create(\n    model=${python(model())},\n    input=${indent(input)},\n`
    + "    extra_body={\"on_truncation\": \"cut\"},\n)\n";
}

function imports(named) {
  return `${[...(access.key ? ["import os"] : []), ...named].join("\n")}\n\n`;
}

function key() {
  return access.key ? "os.environ[\"GTEKIT_API_KEY\"]" : "\"none\"";
}

// JSON's strings are Python's too.
function python(text) {
  return JSON.stringify(text);
}

function pythonList(texts) {
  return `[\n${texts.map((text) => `    ${python(text)},\n`).join("")}]`;
}

function indent(code) {
  return code.replaceAll("\n", "\n    ");
}
