/* Side-by-side plots of several studies. An image is known by its number among all images; each
   panel says which of them its points are. */
(() => {
  const data = JSON.parse(byId("data").textContent);
  const sheets = data.sheets.map((_, n) => byId(`sheet-${n}`));
  let chosen = data.chosen;

  /* One panel a study; places[i] is where image i stands among its points. */
  const panels = data.panels.map((study) => {
    const places = new Map(study.images.map((image, place) => [image, place]));
    const here = (indices) => indices.filter((i) => places.has(i)).map((i) => places.get(i));
    return { study, places, here };
  });
  const holderOf = (i) => panels.find((p) => p.places.has(i));
  const placeIn = (panel, i) => (panel.places.has(i) ? panel.places.get(i) : -1);

  const { state, versions, joined, hover, pick, select, listen, start } = explorer(data, {
    runs: Math.max(...data.panels.map((p) => p.layers[0].points.length)),
    untrained: data.panels.some((p) => p.untrained.length),
    everywhere: "in all panels",
    placeOf: (i) => panels[0].plot.points && panels[0].plot.points[placeIn(panels[0], i)],
    paint(canvas, index, panel = holderOf(index)) {
      const { sheet } = panel.study;
      paintPatch(canvas, sheets[sheet], data.sheets[sheet], panel.places.get(index));
    },
    draw: drawAll,
    ring: ringAll,
    focus: () => panels[0].svg.focus({ preventScroll: true }),
  });

  /* Which layer a panel shows: its strongest, the one of a number, or the nearest to a depth. */
  function entryOf({ study }) {
    const entries = state.source === "untrained" ? study.untrained : study.layers;
    const kind = chosen[0], value = Number(chosen.slice(1));
    if (kind === "b") return entries[study.best];
    if (kind === "i") return entries[value];
    let nearest = 0;
    study.layers.forEach(({ depth }, n) => {
      if (Math.abs(depth - value) < Math.abs(study.layers[nearest].depth - value)) nearest = n;
    });
    return entries[nearest];
  }

  function ringAll() {
    for (const panel of panels) panel.plot.ring(placeIn(panel, state.hover), panel.here(versions(state.hover)));
  }

  function drawAll() {
    for (const panel of panels) {
      const entry = entryOf(panel);
      const selected = new Set(panel.here([...state.selected]));
      // A selection with no image in this panel dims it whole.
      if (state.selected.size && !selected.size) selected.add(-1);
      panel.plot.place(entry ? entry.points[state.run] || entry.points[0] || null : null);
      panel.plot.draw(panel.study.images.map((i) => data.set[i]), selected, joined().map(panel.here));
      const score = entry ? `CHI ${entry.chi} (${entry.grade})` : "no such control";
      const where = entry ? entry.label : "";
      panel.svg.setAttribute("aria-label", `${panel.study.name}, ${where}: ${score}. ` +
        "Arrow keys go from point to point, Enter selects, Escape clears.");
      panel.caption.replaceChildren(make("b", panel.study.name), make("span", `${where} · ${score}`));
    }
    ringAll();
  }

  function buildPanel(panel) {
    const { images } = panel.study;
    const figure = make("figure");
    panel.svg = figure.appendChild(svgElement("svg", {
      class: "plot", tabindex: "0", role: "application", "aria-roledescription": "scatter plot",
    }));
    panel.caption = figure.appendChild(make("figcaption"));
    const imageAt = (place) => (place < 0 ? -1 : images[place]);
    panel.plot = new Scatter(panel.svg, 300, 3.6, {
      hover: (place, event) => hover(imageAt(place), event, panel),
      pick: (place, event) => pick(imageAt(place), event),
      select: (places, event) => select(places.map(imageAt), event),
      tool: () => state.tool,
    });
    listen(panel.svg, (dx, dy) => imageAt(panel.plot.neighbour(placeIn(panel, state.hover), dx, dy)), panel);
    byId("panels").append(figure);
  }

  Promise.all(sheets.map((image) => image.decode())).then(() => {
    panels.forEach(buildPanel);
    data.layers.forEach(({ value, name }) => byId("layer").append(new Option(name, value)));
    byId("layer").value = chosen;
    byId("layer").addEventListener("change", (event) => { chosen = event.target.value; drawAll(); });
    start();
  });
})();
