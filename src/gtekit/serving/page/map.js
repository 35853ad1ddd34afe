// Texts on a plane: their two principal components, on one scale.

import { embed } from "./api.js";
import { checkLines, cutNote, makeAction } from "./action.js";
import { element, lines, shape, shorten } from "./dom.js";
import { cosine, plane } from "./vectors.js";

const MOST_LINES = 200;
const MARGIN = 28;
const EDGE = 6;
const RADIUS = 6;
const PIXELS_A_CHARACTER = 18; // of the width: labels grow with the map
const NEAREST = 3;

export function makeMap(panel) {
  const input = panel.querySelector("#map-input");
  const svg = panel.querySelector(".map");
  const readout = panel.querySelector(".readout");
  let shown = null;

  makeAction(panel, async (signal) => {
    const texts = lines(input.value);
    checkLines(texts, 3, MOST_LINES);
    const { vectors, truncated } = await embed(texts, signal);
    const { points, shares } = plane(vectors);
    const held = Math.round(100 * (shares[0] + shares[1]));
    return {
      said: `${texts.length} texts on the two directions in which they differ most, which hold ${held} % of the `
        + `variance. What is far apart here is far apart; what is near may only look so.${cutNote(truncated)}`,
      draw: () => {
        shown = { texts, vectors, points };
        drawMap(svg, shown);
        tell(readout, shown, 0);
      },
    };
  });

  const point = (event) => {
    const mark = event.target.closest("[data-place]");
    if (mark) tell(readout, shown, Number(mark.dataset.place));
  };
  const around = svg.parentElement; // Chromium makes an svg that listens for the focus a stop of the tab key
  around.addEventListener("pointerover", point);
  around.addEventListener("focusin", point);
  around.addEventListener("keydown", (event) => move(svg, shown, event));
  new ResizeObserver(() => {
    if (!shown || [0, svg.viewBox.baseVal.width].includes(svg.clientWidth)) return;
    const focused = svg.contains(document.activeElement) ? document.activeElement.dataset.place : null;
    drawMap(svg, shown);
    if (focused !== null) focus(svg, focused);
  }).observe(svg);
}

function drawMap(svg, { texts, points }) {
  const width = svg.clientWidth;
  const height = svg.clientHeight;
  const at = scale(points, width, height);
  const marks = texts.map((text, i) => {
    const [x, y] = at[i];
    const mark = shape(
      "g", { "data-place": i, tabindex: i === 0 ? 0 : -1, role: "img", "aria-label": text },
      shape("circle", { cx: x, cy: y, r: RADIUS }),
      shape("text", {}, shorten(text, Math.floor(width / PIXELS_A_CHARACTER))),
    );
    return mark;
  });
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  svg.replaceChildren(...marks);
  placeLabels(marks, at, width, height);
}

function scale(points, width, height) {
  const span = [0, 1].map((axis) => {
    const along = points.map((point) => point[axis]);
    return { middle: (Math.max(...along) + Math.min(...along)) / 2, length: Math.max(...along) - Math.min(...along) };
  });
  // one scale for both axes, so that distances can be compared
  const factor = Math.min((width - 2 * MARGIN) / (span[0].length || 1), (height - 2 * MARGIN) / (span[1].length || 1));
  return points.map(([x, y]) => [
    width / 2 + (x - span[0].middle) * factor,
    height / 2 - (y - span[1].middle) * factor,
  ]);
}

// Each label takes the first place beside its point where it covers nothing; a label without one shows on hover alone.
function placeLabels(marks, at, width, height) {
  const taken = at.map(([x, y]) => ({ left: x - RADIUS, right: x + RADIUS, top: y - RADIUS, bottom: y + RADIUS }));
  marks.forEach((mark, i) => {
    const label = mark.lastChild;
    const [x, y] = at[i];
    const size = { width: label.getComputedTextLength(), height: 15 };
    const gap = RADIUS + 4;
    const corners = [
      [x + gap, y - size.height / 2],
      [x - gap - size.width, y - size.height / 2],
      [x - size.width / 2, y + gap],
      [x - size.width / 2, y - gap - size.height],
    ];
    const boxes = corners.map(([left, top]) => ({ left, right: left + size.width, top, bottom: top + size.height }));
    const inside = boxes.filter((box) => isInside(box, width, height));
    const free = inside.find((box) => !taken.some((other, j) => j !== i && overlaps(box, other)));
    mark.classList.toggle("quiet", !free);
    const box = free ?? inside[0] ?? boxes[0];
    if (free) taken.push(free);
    label.setAttribute("x", box.left);
    label.setAttribute("y", box.top + 12);
  });
}

function isInside(box, width, height) {
  return box.left >= EDGE && box.right <= width - EDGE && box.top >= EDGE && box.bottom <= height - EDGE;
}

function overlaps(a, b) {
  return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
}

function tell(readout, { texts, vectors }, place) {
  const near = texts.map((_, i) => ({ i, score: cosine(vectors[place], vectors[i]) })).filter(({ i }) => i !== place);
  near.sort((a, b) => b.score - a.score);
  readout.replaceChildren(
    element("p", {}, element("b", {}, texts[place])),
    ...near.slice(0, NEAREST).map(({ i, score }) => element("p", {}, element("b", {}, score.toFixed(4)), ` ${texts[i]}`)),
  );
}

function move(svg, { points }, event) {
  const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
  const from = event.target.closest("[data-place]");
  if (!step || !from) return;
  event.preventDefault();
  const order = points.map((_, i) => i).sort((a, b) => points[a][0] - points[b][0]);
  const to = order[(order.indexOf(Number(from.dataset.place)) + step + order.length) % order.length];
  focus(svg, to);
}

function focus(svg, place) {
  svg.querySelector('[tabindex="0"]').setAttribute("tabindex", -1);
  const mark = svg.querySelector(`[data-place="${place}"]`);
  mark.setAttribute("tabindex", 0);
  mark.focus();
}
