// How busy the server is: differences of the counters in /metrics, as numbers and lines.

import { ask } from "./api.js";
import { shape } from "./dom.js";

const EVERY_MS = 2000;
const KEPT = 60; // two minutes

export function startLive(section) {
  const note = section.querySelector("#live-note");
  const usual = [...note.childNodes];
  const gauges = ["requests", "tokens", "queue"].map((name) => {
    const output = section.querySelector(`#live-${name}`);
    return { name, output, svg: output.parentElement.querySelector("svg"), values: [] };
  });
  let before = null;
  let isRefused = false; // until there is another key
  document.addEventListener("access-changed", () => { isRefused = false; });

  async function look() {
    if (document.hidden || isRefused) {
      before = null; // a gap, not one long interval
      return;
    }
    try {
      const { value } = await ask("metrics", { as: "text" });
      const now = read(value);
      if (before) show(gauges, rates(before, now));
      before = now;
      note.replaceChildren(...usual);
    } catch (error) {
      before = null;
      isRefused = [401, 403].includes(error.status);
      note.textContent = error.status ? `${error.status}: ${error.message}` : error.message;
    }
  }

  async function loop() {
    await look();
    setTimeout(loop, EVERY_MS);
  }
  loop();
}

function read(text) {
  const sum = (name, label = "") => text.split("\n")
    .filter((line) => line.startsWith(`${name}{`) && line.includes(label))
    .reduce((total, line) => total + Number(line.slice(line.lastIndexOf("}") + 1)), 0);
  return {
    at: performance.now() / 1000,
    requests: sum("gtekit_requests_total", 'method="POST"'), // not these looks themselves
    tokens: sum("gtekit_tokens_total"),
    queue: sum("gtekit_queue_tokens"),
  };
}

function rates(before, now) {
  const seconds = now.at - before.at;
  // a server that was started again counts from zero
  const rate = (name) => Math.max(0, now[name] - before[name]) / seconds;
  return { requests: rate("requests"), tokens: rate("tokens"), queue: now.queue };
}

function show(gauges, values) {
  for (const gauge of gauges) {
    gauge.values.push(values[gauge.name]);
    gauge.values.splice(0, gauge.values.length - KEPT);
    const value = values[gauge.name];
    gauge.output.textContent = value.toLocaleString("en", { maximumFractionDigits: value < 10 ? 1 : 0 });
    draw(gauge.svg, gauge.values);
  }
}

function draw(svg, values) {
  const top = Math.max(...values, 1e-9);
  const start = KEPT - values.length;
  const points = values.map((value, i) => `${start + i},${(1 - value / top).toFixed(4)}`);
  svg.setAttribute("viewBox", `0 -0.06 ${KEPT - 1} 1.12`);
  svg.setAttribute("preserveAspectRatio", "none");
  svg.replaceChildren(
    shape("polygon", { points: `${start},1 ${points.join(" ")} ${KEPT - 1},1` }),
    shape("polyline", { points: points.join(" ") }),
  );
}
