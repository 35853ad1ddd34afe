"use strict";
// Draws the points, finds the one that is pointed at, filters by cluster and words. Texts reach the page as text only.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const byId = (id) => document.getElementById(id);
  const canvas = byId("canvas"), tip = byId("tip"), chosen = byId("chosen"), legend = byId("legend");
  const pen = canvas.getContext("2d");
  const count = data.x.length;
  const lower = data.texts.map((text) => text.toLowerCase());
  const only = new Set();  // clusters that are shown; none: all
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const REACH = 16;  // pixels between a pointer and the point that it means
  let words = "", picked = -1, hovered = -1, pending = false;
  let view = { x: 0, y: 0, zoom: 1 };

  const palette = () => (dark.matches ? data.dark : data.light);
  const color = (label) => (label < 0 ? css("--grey") : palette()[data.clusters[label].color]);
  const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const name = (label) => (label < 0 ? "no cluster" : data.clusters[label].name);
  const shows = (i) => only.size === 0 || only.has(data.labels[i]);
  const matches = (i) => words === "" || lower[i].includes(words);
  const reach = (values) => values.reduce((most, value) => Math.max(most, Math.abs(value)), 0.05);
  const reachX = reach(data.x), reachY = reach(data.y);
  const scale = () => 0.47 * Math.min(canvas.clientWidth / reachX, canvas.clientHeight / reachY) * view.zoom;
  const screenX = (i) => canvas.clientWidth / 2 + (data.x[i] - view.x) * scale();
  const screenY = (i) => canvas.clientHeight / 2 - (data.y[i] - view.y) * scale();

  function element(tag, text, className) {
    const made = document.createElement(tag);
    if (text !== undefined) made.textContent = text;
    if (className) made.className = className;
    return made;
  }

  function shape(context, kind, x, y, r) {
    context.beginPath();
    if (kind === "square") context.rect(x - r * 0.9, y - r * 0.9, r * 1.8, r * 1.8);
    else if (kind === "triangle") polygon(context, x, y, r, [[0, -1.2], [1.1, 0.8], [-1.1, 0.8]]);
    else if (kind === "diamond") polygon(context, x, y, r, [[0, -1.3], [1.3, 0], [0, 1.3], [-1.3, 0]]);
    else context.arc(x, y, r, 0, 7);
  }

  function polygon(context, x, y, r, corners) {
    corners.forEach(([right, down], at) => context[at ? "lineTo" : "moveTo"](x + r * right, y + r * down));
    context.closePath();
  }

  function redraw() {
    if (!pending) { pending = true; requestAnimationFrame(draw); }
  }

  function draw() {
    pending = false;
    const ratio = window.devicePixelRatio || 1;
    const width = canvas.clientWidth, height = canvas.clientHeight;
    if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
    }
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, width, height);
    const radius = Math.max(1.6, Math.min(6, 90 / Math.sqrt(count + 1))) * Math.min(2, Math.sqrt(view.zoom));
    const colors = new Map([-1, ...data.clusters.keys()].map((label) => [label, color(label)]));
    for (const front of [false, true]) {
      for (let i = 0; i < count; i++) {
        const isFront = shows(i) && matches(i);
        if (isFront !== front) continue;
        const x = screenX(i), y = screenY(i), label = data.labels[i];
        if (x < -9 || y < -9 || x > width + 9 || y > height + 9) continue;
        pen.globalAlpha = front ? (label < 0 ? 0.5 : 0.85) : 0.1;
        pen.fillStyle = colors.get(label);
        shape(pen, label < 0 ? "circle" : data.clusters[label].shape, x, y, label < 0 ? radius * 0.7 : radius);
        pen.fill();
      }
    }
    pen.globalAlpha = 1;
    names(width, height);
    for (const i of [hovered, picked]) {
      if (i < 0) continue;
      pen.beginPath();
      pen.arc(screenX(i), screenY(i), radius + 5, 0, 7);
      pen.lineWidth = 2.5;
      pen.strokeStyle = css("--ink");
      pen.stroke();
    }
  }

  const middles = data.clusters.map((_, label) => {
    const own = [];
    for (let i = 0; i < count; i++) if (data.labels[i] === label) own.push(i);
    const median = (values) => values.sort((a, b) => a - b)[values.length >> 1];
    return own.length ? [median(own.map((i) => data.x[i])), median(own.map((i) => data.y[i]))] : null;
  });

  function names(width, height) {
    const taken = [];
    pen.font = "600 13px system-ui, sans-serif";
    pen.textAlign = "center";
    pen.textBaseline = "middle";
    pen.lineJoin = "round";
    middles.forEach((middle, label) => {
      if (!middle || (only.size && !only.has(label)) || words !== "") return;
      const full = data.clusters[label].name;
      const text = full.length > 26 ? full.slice(0, 25).replace(/[ ,]+$/, "") + "…" : full;
      const half = pen.measureText(text).width / 2 + 4;
      const limit = Math.max(half, width - half);
      const x = Math.min(Math.max(width / 2 + (middle[0] - view.x) * scale(), half), limit);
      const y = height / 2 - (middle[1] - view.y) * scale();
      if (y < 10 || y > height - 10 || Math.abs(width / 2 + (middle[0] - view.x) * scale() - x) > half) return;
      if (taken.some((box) => Math.abs(box.x - x) < box.half + half && Math.abs(box.y - y) < 18)) return;
      taken.push({ x, y, half });
      pen.lineWidth = 4;
      pen.strokeStyle = css("--card");
      pen.strokeText(text, x, y);
      pen.fillStyle = css("--ink");
      pen.fillText(text, x, y);
    });
  }

  function nearestTo(x, y) {
    let best = -1, least = REACH * REACH;
    for (let i = 0; i < count; i++) {
      if (!shows(i) || !matches(i)) continue;
      const dx = screenX(i) - x, dy = screenY(i) - y, distance = dx * dx + dy * dy;
      if (distance < least) { least = distance; best = i; }
    }
    return best;
  }

  function describe(box, i) {
    box.replaceChildren(
      element("p", data.texts[i] || "(an empty text)"),
      element("p", `${name(data.labels[i])} · text ${data.rows[i]}`, "name"));
  }

  function pick(i, center) {
    picked = i;
    if (i < 0) chosen.replaceChildren(element("p", "Point at or tap a text.", "soft"));
    else describe(chosen, i);
    if (i >= 0 && center) { view.x = data.x[i]; view.y = data.y[i]; view.zoom = Math.max(view.zoom, 3); }
    redraw();
  }

  function zoom(factor, x = canvas.clientWidth / 2, y = canvas.clientHeight / 2) {
    const before = scale();
    view.zoom = Math.min(60, Math.max(0.6, view.zoom * factor));
    const change = 1 / before - 1 / scale();
    view.x += (x - canvas.clientWidth / 2) * change;
    view.y -= (y - canvas.clientHeight / 2) * change;
    redraw();
  }

  function whole() { view = { x: 0, y: 0, zoom: 1 }; redraw(); }

  // pointers: one moves the map or taps, two pinch
  const pointers = new Map();
  let moved = 0;
  const at = (event) => {
    const box = canvas.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    if (pointers.size === 0) moved = 0;
    pointers.set(event.pointerId, at(event));
  });
  canvas.addEventListener("pointermove", (event) => {
    const here = at(event), last = pointers.get(event.pointerId);
    if (!last) { hover(here, event.pointerType); return; }
    const other = [...pointers].find(([id]) => id !== event.pointerId)?.[1];
    if (other) {
      const gap = (p) => Math.max(8, Math.hypot(p.x - other.x, p.y - other.y));
      zoom(gap(here) / gap(last), (here.x + other.x) / 2, (here.y + other.y) / 2);
      moved = 99;
    } else {
      moved += Math.abs(here.x - last.x) + Math.abs(here.y - last.y);
      if (moved > 5) {
        view.x -= (here.x - last.x) / scale();
        view.y += (here.y - last.y) / scale();
        tip.hidden = true;
        redraw();
      }
    }
    pointers.set(event.pointerId, here);
  });
  canvas.addEventListener("pointerup", (event) => {
    if (pointers.delete(event.pointerId) && pointers.size === 0 && moved <= 5) {
      const here = at(event);
      pick(nearestTo(here.x, here.y), false);
    }
  });
  canvas.addEventListener("pointercancel", (event) => pointers.delete(event.pointerId));
  canvas.addEventListener("pointerleave", () => { tip.hidden = true; hovered = -1; redraw(); });
  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    const here = at(event);
    zoom(Math.exp(-event.deltaY * 0.0015), here.x, here.y);
  }, { passive: false });

  function hover(here, kind) {
    const found = nearestTo(here.x, here.y);
    tip.hidden = found < 0 || kind === "touch";
    if (found !== hovered) { hovered = found; redraw(); }
    if (tip.hidden) return;
    describe(tip, found);
    const left = here.x > canvas.clientWidth / 2;
    tip.style.left = left ? "auto" : `${here.x + 14}px`;
    tip.style.right = left ? `${canvas.clientWidth - here.x + 14}px` : "auto";
    tip.style.top = `${Math.min(here.y + 10, canvas.clientHeight - tip.offsetHeight - 4)}px`;
  }

  const directions = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

  function step([dx, dy]) {
    const from = picked >= 0 ? [data.x[picked], data.y[picked]] : [view.x, view.y];
    let best = -1, least = Infinity;
    for (let i = 0; i < count; i++) {
      if (i === picked || !shows(i) || !matches(i)) continue;
      const x = data.x[i] - from[0], y = data.y[i] - from[1];
      const along = x * dx + y * dy, across = Math.abs(x * dy - y * dx);
      if (picked >= 0 && (along <= 0 || across > 2 * along)) continue;
      const cost = picked >= 0 ? along + 2 * across : Math.hypot(x, y);
      if (cost < least) { least = cost; best = i; }
    }
    if (best < 0) return;
    pick(best, false);
    const x = screenX(best), y = screenY(best);
    const isOutside = x < 20 || y < 20 || x > canvas.clientWidth - 20 || y > canvas.clientHeight - 20;
    if (isOutside) { view.x = data.x[best]; view.y = data.y[best]; }
  }

  canvas.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const closer = () => zoom(1.4), wider = () => zoom(1 / 1.4);
    const actions = { "+": closer, "=": closer, "-": wider, 0: whole, Escape: () => pick(-1) };
    const action = directions[event.key] ? () => step(directions[event.key]) : actions[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  });

  function filter() {
    legend.classList.toggle("filtered", only.size > 0);
    for (const button of legend.querySelectorAll("button")) {
      button.setAttribute("aria-pressed", String(only.has(Number(button.dataset.label))));
    }
    byId("all").hidden = only.size === 0;
    if (picked >= 0 && !shows(picked)) pick(-1);
    look();
  }

  function look() {
    words = byId("search").value.trim().toLowerCase();
    const found = [];
    if (words !== "") for (let i = 0; i < count; i++) if (shows(i) && matches(i)) found.push(i);
    const told = `${found.length.toLocaleString("en")} ${found.length === 1 ? "text" : "texts"}`;
    byId("found").textContent = words === "" ? "" : told;
    byId("results").replaceChildren(...found.slice(0, 20).map((i) => {
      const button = element("button", data.texts[i]);
      button.type = "button";
      button.addEventListener("click", () => pick(i, true));
      return button;
    }));
    redraw();
  }

  function swatch(label) {
    const mark = document.createElement("canvas");
    const ratio = 2;
    mark.width = mark.height = 16 * ratio;
    mark.style.cssText = "width:16px;height:16px;touch-action:auto;cursor:inherit";
    mark.setAttribute("aria-hidden", "true");
    const paint = () => {
      const context = mark.getContext("2d");
      context.setTransform(ratio, 0, 0, ratio, 0, 0);
      context.clearRect(0, 0, 16, 16);
      context.fillStyle = color(label);
      shape(context, label < 0 ? "circle" : data.clusters[label].shape, 8, 8, label < 0 ? 4 : 5.5);
      context.fill();
    };
    paint();
    dark.addEventListener("change", paint);
    return mark;
  }

  function entry(label, size) {
    const button = element("button");
    button.type = "button";
    button.dataset.label = String(label);
    button.setAttribute("aria-pressed", "false");
    if (label >= 0) button.title = data.clusters[label].terms.join(", ");
    button.append(swatch(label), element("span", name(label)), element("span", size.toLocaleString("en"), "size"));
    button.addEventListener("click", () => { if (!only.delete(label)) only.add(label); filter(); });
    const item = element("li");
    item.append(button);
    legend.append(item);
  }

  data.clusters.forEach((cluster, label) => entry(label, cluster.size));
  if (data.unassigned > 0) entry(-1, data.unassigned);
  byId("all").addEventListener("click", () => { only.clear(); filter(); });
  byId("search").addEventListener("input", look);
  byId("closer").addEventListener("click", () => zoom(1.4));
  byId("wider").addEventListener("click", () => zoom(1 / 1.4));
  byId("whole").addEventListener("click", whole);
  dark.addEventListener("change", redraw);
  new ResizeObserver(redraw).observe(canvas);
  draw();
})();
