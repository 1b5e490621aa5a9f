/* One scatter plot: draws points, finds the one under the pointer, follows a drag.
   It knows nothing of layers or selections; it is told what to draw and reports what was done. */

const SVG = "http://www.w3.org/2000/svg";
const COLOURS = 8;
const GRID = 9999;

/* Seven outlines of about equal area round (x, y); r is the circle's radius. */
const MARKERS = [
  (x, y, r) => `M${x - r} ${y}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0`,
  (x, y, r) => `M${x} ${y - 1.3 * r}L${x + 1.25 * r} ${y + 0.9 * r}H${x - 1.25 * r}Z`,
  (x, y, r) => `M${x - 0.9 * r} ${y - 0.9 * r}h${1.8 * r}v${1.8 * r}h${-1.8 * r}Z`,
  (x, y, r) => `M${x} ${y - 1.3 * r}L${x + 1.3 * r} ${y}L${x} ${y + 1.3 * r}L${x - 1.3 * r} ${y}Z`,
  (x, y, r) => `M${x} ${y + 1.3 * r}L${x + 1.25 * r} ${y - 0.9 * r}H${x - 1.25 * r}Z`,
  (x, y, r) => {
    const a = 0.42 * r, b = 1.25 * r;
    return `M${x - a} ${y - b}h${2 * a}v${b - a}h${b - a}v${2 * a}h${a - b}v${b - a}h${-2 * a}` +
      `v${a - b}h${a - b}v${-2 * a}h${b - a}Z`;
  },
  (x, y, r) => {
    const a = 0.5 * r, b = 1.2 * r;
    return `M${x - b} ${y - b + a}L${x - b + a} ${y - b}L${x} ${y - a}L${x + b - a} ${y - b}` +
      `L${x + b} ${y - b + a}L${x + a} ${y}L${x + b} ${y + b - a}L${x + b - a} ${y + b}` +
      `L${x} ${y + a}L${x - b + a} ${y + b}L${x - b} ${y + b - a}L${x - a} ${y}Z`;
  },
];

function svgElement(name, attributes) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

/* Return the small drawing that stands for a set's colour and marker in a legend. */
function swatch(set) {
  const icon = svgElement("svg", { width: 14, height: 14, "aria-hidden": "true" });
  icon.append(svgElement("path", {
    class: "c" + (set % COLOURS), d: MARKERS[set % MARKERS.length](7, 7, 5),
  }));
  return icon;
}

/* Return whether (x, y) lies in the polygon [[x, y], ...]. */
function inside(polygon, x, y) {
  let within = false;
  for (let i = 0, j = polygon.length - 1; i < polygon.length; j = i++) {
    const [xi, yi] = polygon[i], [xj, yj] = polygon[j];
    if ((yi > y) !== (yj > y) && x < ((xj - xi) * (y - yi)) / (yj - yi) + xi) within = !within;
  }
  return within;
}

class Scatter {
  /* size: units of the drawing's side; radius: of a marker, in them. actions: hover(index or -1,
     event), pick(index or -1, event), select(indices, event), tool() -> "box" or "lasso". */
  constructor(svg, size, radius, actions) {
    Object.assign(this, { svg, size, radius, actions, points: null, drag: null });
    svg.setAttribute("viewBox", `0 0 ${size} ${size}`);
    this.marks = svg.appendChild(svgElement("g", {}));
    this.lines = svg.appendChild(svgElement("g", {}));
    this.rings = svg.appendChild(svgElement("g", {}));
    this.area = svg.appendChild(svgElement("path", { class: "drag" }));
    svg.addEventListener("pointerdown", (event) => this.press(event));
    svg.addEventListener("pointermove", (event) => this.move(event));
    svg.addEventListener("pointerup", (event) => this.release(event));
    svg.addEventListener("pointercancel", () => this.stop());
    // A finger that is lifted leaves too, but what it pointed at should stay to be looked at.
    svg.addEventListener("pointerleave", (event) => {
      if (event.pointerType !== "touch") this.actions.hover(-1, event);
    });
  }

  /* grid: x and y in turn, from 0 to GRID, or null where the layer has no defined points. */
  place(grid) {
    const margin = 0.045 * this.size, scale = (this.size - 2 * margin) / GRID;
    const round = (v) => Math.round((margin + v * scale) * 100) / 100;
    this.points = grid && Array.from({ length: grid.length / 2 }, (_, i) =>
      [round(grid[2 * i]), round(grid[2 * i + 1])]);
  }

  /* sets: the set of each point, its colour and marker; selected: a Set of indices; joined: lists
     of indices, each drawn as a line from one point to the next. */
  draw(sets, selected, joined) {
    this.marks.replaceChildren();
    this.lines.replaceChildren();
    if (!this.points) {
      const text = svgElement("text", { x: this.size / 2, y: this.size / 2 });
      text.textContent = "undefined";
      this.marks.append(text);
      return;
    }
    // In shuffled order, on twelve levels: no set lies on top because it was drawn last.
    const paths = new Map();
    this.points.forEach(([x, y], i) => {
      const dim = selected.size > 0 && !selected.has(i);
      const key = (dim ? 0 : 1e7) + (Math.imul(i, 2654435761) >>> 0) % 12 * 1e5 + sets[i];
      if (!paths.has(key)) paths.set(key, { dim, set: sets[i], outline: [] });
      paths.get(key).outline.push(MARKERS[sets[i] % MARKERS.length](x, y, this.radius));
    });
    for (const key of [...paths.keys()].sort((a, b) => a - b)) {
      const { dim, set, outline } = paths.get(key);
      const name = "c" + (set % COLOURS) + (dim ? " dim" : "");
      this.marks.append(svgElement("path", { class: name, d: outline.join("") }));
    }
    joined.forEach((indices) => this.join(this.lines, indices, "join"));
  }

  join(group, indices, name) {
    const places = indices.map((i) => this.points[i].join(" "));
    if (places.length > 1) group.append(svgElement("polyline", { class: name, points: places.join(" ") }));
  }

  /* Ring one point, thinly the other versions of its content, and join them by a line. */
  ring(index, versions) {
    this.rings.replaceChildren();
    if (!this.points || index < 0) return;
    this.join(this.rings, versions, "join shown");
    for (const i of [...versions.filter((other) => other !== index), index]) {
      const [cx, cy] = this.points[i];
      const r = this.radius * (i === index ? 2.2 : 1.8);
      this.rings.append(svgElement("circle", { class: i === index ? "ring" : "twin", cx, cy, r }));
    }
  }

  at(event) {
    const box = this.svg.getBoundingClientRect();
    const scale = this.size / box.width;
    return [(event.clientX - box.left) * scale, (event.clientY - box.top) * scale, scale];
  }

  /* Return the index of the nearest point within reach (in CSS pixels) of the pointer, or -1. */
  nearest(event) {
    if (!this.points) return -1;
    const [x, y, scale] = this.at(event);
    let best = -1, least = ((event.pointerType === "touch" ? 24 : 14) * scale) ** 2;
    this.points.forEach(([px, py], i) => {
      const distance = (px - x) ** 2 + (py - y) ** 2;
      if (distance < least) [best, least] = [i, distance];
    });
    return best;
  }

  /* Return the index of the nearest point from `index` in the direction (dx, dy), or `index`. */
  neighbour(index, dx, dy) {
    if (!this.points) return -1;
    if (index < 0) return 0;
    const [x, y] = this.points[index];
    let best = index, least = Infinity;
    this.points.forEach(([px, py], i) => {
      const along = (px - x) * dx + (py - y) * dy, across = (px - x) * dy + (py - y) * dx;
      const cost = along + 2 * Math.abs(across);
      if (i !== index && along > 0 && cost < least) [best, least] = [i, cost];
    });
    return best;
  }

  press(event) {
    if (event.button !== 0) return;
    const [x, y] = this.at(event);
    this.drag = { from: [event.clientX, event.clientY], path: [[x, y]], moved: false };
  }

  move(event) {
    const drag = this.drag;
    if (!drag) return this.actions.hover(this.nearest(event), event);
    const [fromX, fromY] = drag.from;
    if (!drag.moved) {
      if (Math.hypot(event.clientX - fromX, event.clientY - fromY) < 5) return undefined;
      drag.moved = true;
      this.svg.setPointerCapture(event.pointerId);
      this.actions.hover(-1, event);
    }
    const [x, y] = this.at(event), [x0, y0] = drag.path[0];
    if (this.actions.tool() === "lasso") drag.path.push([x, y]);
    else drag.path = [[x0, y0], [x, y0], [x, y], [x0, y]];
    this.area.setAttribute("d", "M" + drag.path.map((p) => p.join(" ")).join("L") + "Z");
    return undefined;
  }

  release(event) {
    const drag = this.drag;
    this.stop();
    if (!drag) return;
    if (!drag.moved) {
      const index = this.nearest(event);
      this.actions.hover(index, event);
      this.actions.pick(index, event);
      return;
    }
    const caught = [];
    (this.points || []).forEach(([x, y], i) => { if (inside(drag.path, x, y)) caught.push(i); });
    this.actions.select(caught, event);
  }

  stop() {
    this.drag = null;
    this.area.removeAttribute("d");
  }
}
