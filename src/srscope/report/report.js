/* The report's plots: one layer large, all of them small, linked image by image. */
(() => {
  const data = JSON.parse(byId("data").textContent);
  const sprite = byId("sprite");
  const count = data.set.length, layers = data.layers.length, runs = data.pixels.points.length;
  let shown = layers;

  const { state, versions, joined, hover, pick, select, listen, start } = explorer(data, {
    runs,
    untrained: data.untrained.length > 0,
    everywhere: "in all layers",
    placeOf: (i) => large.points && large.points[i],
    paint: (canvas, index) => paintPatch(canvas, sprite, data.sprite, index),
    draw: drawAll,
    ring: () => [large, ...small.map((s) => s.plot)].forEach(ring),
    focus: () => byId("large").focus({ preventScroll: true }),
  });

  const ring = (plot) => plot.ring(state.hover, versions(state.hover));
  const actions = { hover, pick, select, tool: () => state.tool };
  const large = new Scatter(byId("large"), 600, 5, actions);
  const small = [];

  /* Panel 0 is the raw pixels; panel d > 0 the d-th layer of the network drawn. */
  const entryOf = (depth) => (depth === 0 ? data.pixels : data[state.source][depth - 1]);
  const titleOf = (depth) => (depth === 0 ? "Raw pixels" : entryOf(depth).label);

  function buildPanels() {
    for (let depth = 0; depth <= layers; depth++) {
      const figure = make("figure", undefined, depth === 0 ? "control" : "");
      const svg = figure.appendChild(svgElement("svg", { class: "plot", role: "img" }));
      const button = figure.appendChild(make("figcaption")).appendChild(make("button"));
      button.type = "button";
      button.addEventListener("click", () => {
        showDepth(depth);
      });
      byId("multiples").append(figure);
      // Two rows at most beside each other; what is more is one row that scrolls.
      byId("multiples").classList.toggle("many", layers > 17);
      byId("multiples").style.setProperty("--columns", layers < 10 ? Math.max(8, layers + 1) : Math.ceil((layers + 1) / 2));
      small.push({ figure, svg, button, plot: new Scatter(svg, 200, 2.7, actions) });
    }
  }

  function scoreOf(entry) {
    const run = entry.points.length > 1 && entry.runs[state.run] !== undefined
      ? ` · this run ${entry.runs[state.run]}` : "";
    return { short: `CHI ${entry.chi}`, long: `CHI ${entry.chi}, grade ${entry.grade}${run}` };
  }

  function drawPoints(plot, entry) {
    plot.place(entry.points[state.run] || null);
    plot.draw(data.set, state.selected, joined());
    ring(plot);
  }

  function drawLarge() {
    const entry = entryOf(shown), title = titleOf(shown);
    drawPoints(large, entry);
    const where = shown === 0 ? "control, before the first layer"
      : `layer ${shown} of ${layers}${state.source === "untrained" ? ", untrained" : ""}`;
    byId("depth-name").textContent = `${title}, ${where}`;
    byId("depth-slider").setAttribute("aria-valuetext", `${title}, ${where}`);
    const dotted = shown > 0 && entry.layer !== entry.label ? ` · ${entry.layer}` : "";
    byId("large-caption").replaceChildren(make("b", title), ` ${scoreOf(entry).long}${dotted}`);
    byId("large").setAttribute("aria-label", `${title}: ${count} images, ${scoreOf(entry).long}. ` +
      "Arrow keys go from point to point, Enter selects, Escape clears.");
    small.forEach(({ figure, button }, depth) => {
      figure.classList.toggle("current", depth === shown);
      button.setAttribute("aria-pressed", String(depth === shown));
    });
  }

  function drawAll() {
    small.forEach(({ svg, button, plot }, depth) => {
      const entry = entryOf(depth);
      drawPoints(plot, entry);
      svg.setAttribute("aria-label", `${titleOf(depth)}: ${scoreOf(entry).short}`);
      button.title = titleOf(depth);
      button.replaceChildren(make("b", entry.short), make("span", scoreOf(entry).short));
    });
    drawLarge();
    tellRun();
  }

  function showDepth(depth) {
    shown = Math.max(0, Math.min(layers, depth));
    byId("depth-slider").value = String(shown);
    drawLarge();
    const strip = byId("multiples"), { offsetLeft, offsetWidth } = small[shown].figure;
    strip.scrollLeft = offsetLeft - strip.offsetLeft - (strip.clientWidth - offsetWidth) / 2;
  }

  function tellRun() {
    const seed = data.seed === null ? "" : ` (seed ${data.seed + state.run})`;
    const first = state.run === 0 ? ", the first" : "";
    byId("run-note").textContent = runs > 1
      ? `Drawn: t-SNE run ${state.run + 1} of ${runs}${first}${seed}. Scores are means ± standard deviations over all runs.`
      : `Drawn: the only t-SNE run${seed}.`;
  }

  sprite.decode().then(() => {
    buildPanels();
    byId("depth-slider").max = String(layers);
    byId("depth-slider").value = String(shown);
    byId("depth-slider").addEventListener("input", (event) => showDepth(Number(event.target.value)));
    listen(byId("large"), (dx, dy) => large.neighbour(state.hover, dx, dy));
    start();
    showDepth(layers);
  });
})();
