/* Side-by-side plots of several studies: one state, drawn into every panel. An image is known by
   its number among all images; each panel says which of them its points are. */
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const $$ = (id) => document.getElementById(id);
  const sheets = data.sheets.map((_, n) => $$(`sheet-${n}`));
  const PAIRS = COLOURS * MARKERS.length;
  const state = { colour: "set", tool: "box", layer: data.chosen, source: "layers", run: 0,
    selected: new Set(), hover: -1 };

  const versionsOf = data.contents.map(() => []);
  data.content.forEach((c, i) => versionsOf[c].push(i));
  const setName = (i) => data.sets[data.set[i]].name;
  const contentName = (i) => data.contents[data.content[i]];
  const twins = (i) => (i < 0 || !data.crossed ? [] : versionsOf[data.content[i]].filter((j) => j !== i));
  const numbers = () => (state.colour === "set" ? data.set : data.content);
  const runs = Math.max(...data.panels.map((p) => p.layers[0].points.length));

  /* One panel a study; places[i] is where image i stands among its points. */
  const panels = data.panels.map((study) => {
    const places = new Map(study.images.map((image, place) => [image, place]));
    const here = (indices) => indices.filter((i) => places.has(i)).map((i) => places.get(i));
    return { study, places, here };
  });
  const holderOf = (i) => panels.find((p) => p.places.has(i));

  function paint(canvas, index, panel = holderOf(index)) {
    const { sheet } = panel.study;
    paintPatch(canvas, sheets[sheet], data.sheets[sheet], panel.places.get(index));
  }

  function thumb(index, side, name) {
    const box = make("div");
    const canvas = box.appendChild(make("canvas"));
    canvas.width = canvas.height = side;
    paint(canvas, index);
    box.title = `${setName(index)}: ${contentName(index)}`;
    box.append(name);
    return box;
  }

  /* ---- which layer a panel shows ---- */
  function entryOf({ study }) {
    const entries = state.source === "untrained" ? study.untrained : study.layers;
    const kind = state.layer[0], value = Number(state.layer.slice(1));
    if (kind === "b") return entries[study.best];
    if (kind === "i") return entries[value];
    let nearest = 0;
    study.layers.forEach(({ depth }, n) => {
      if (Math.abs(depth - value) < Math.abs(study.layers[nearest].depth - value)) nearest = n;
    });
    return entries[nearest];
  }

  /* ---- what the pointer is on ---- */
  const tip = $$("tip");

  function ringAll() {
    for (const panel of panels) {
      const place = panel.places.has(state.hover) ? panel.places.get(state.hover) : -1;
      panel.plot.ring(place, panel.here(twins(state.hover)));
    }
  }

  function hover(index, event, panel) {
    if (index !== state.hover) {
      state.hover = index;
      ringAll();
      inspect(index);
    }
    const pointed = index >= 0 && event && event.pointerType !== "touch" && event.type !== "keydown";
    tip.hidden = !pointed;
    if (pointed) {
      paint(tip.firstElementChild, index, panel);
      tip.lastElementChild.replaceChildren(make("b", setName(index)), make("br"), contentName(index));
      placeTip(tip, event);
    }
  }

  function inspect(index) {
    $$("picture").hidden = index < 0;
    if (index < 0) {
      $$("picture-name").textContent = "Point at an image to see it here, and where it is in every panel.";
      $$("versions").replaceChildren();
      return;
    }
    paint($$("picture"), index);
    $$("picture-name").replaceChildren(make("b", setName(index)), ` · ${contentName(index)}`);
    $$("versions").replaceChildren(...twins(index).slice(0, 8).map((i) => thumb(i, 64, setName(i))));
  }

  /* ---- selection ---- */
  function select(indices, event) {
    state.selected = changedSelection(state.selected, indices, event);
    drawAll();
    tellSelection();
  }

  function tellSelection() {
    const chosen = [...state.selected].sort((a, b) => a - b);
    $$("clear").hidden = chosen.length === 0;
    $$("selection-status").textContent = toldSelection(data, chosen);
    $$("selected").replaceChildren(...pictured(chosen, (i) => thumb(i, 48, setName(i))));
  }

  /* ---- drawing ---- */
  function drawAll() {
    for (const panel of panels) {
      const entry = entryOf(panel);
      const pairs = panel.study.images.map((i) => numbers()[i] % PAIRS);
      const selected = new Set(panel.here([...state.selected]));
      // A selection with no image in this panel dims it whole.
      if (state.selected.size && !selected.size) selected.add(-1);
      panel.plot.place(entry ? entry.points[state.run] || entry.points[0] || null : null);
      panel.plot.draw(pairs, selected);
      const score = entry ? `CHI ${entry.chi} (${entry.grade})` : "no such control";
      const where = entry ? entry.label : "";
      panel.svg.setAttribute("aria-label", `${panel.study.name}, ${where}: ${score}. ` +
        "Arrow keys go from point to point, Enter selects, Escape clears.");
      panel.caption.replaceChildren(make("b", panel.study.name), make("span", `${where} · ${score}`));
    }
    ringAll();
  }

  function buildPanel(panel) {
    const figure = make("figure");
    panel.svg = figure.appendChild(svgElement("svg", {
      class: "plot", tabindex: "0", role: "application", "aria-roledescription": "scatter plot",
    }));
    panel.caption = figure.appendChild(make("figcaption"));
    const of = (places) => places.map((place) => panel.study.images[place]);
    panel.plot = new Scatter(panel.svg, 300, 3.6, {
      hover: (place, event) => hover(place < 0 ? -1 : panel.study.images[place], event, panel),
      select: (places, event) => select(of(places), event),
      tool: () => state.tool,
    });
    panel.svg.addEventListener("keydown", (event) => keyboard(event, panel));
    panel.svg.addEventListener("blur", () => hover(-1));
    $$("panels").append(figure);
  }

  function keyboard(event, panel) {
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    const place = panel.places.has(state.hover) ? panel.places.get(state.hover) : -1;
    if (step) {
      const next = panel.plot.neighbour(place, ...step);
      if (next >= 0) hover(panel.study.images[next], event, panel);
    } else if (event.key === "Enter" || event.key === " ") {
      if (state.hover >= 0) select([state.hover], event);
    } else if (event.key === "Escape") select([]);
    else return;
    event.preventDefault();
  }

  function drawLegend() {
    const legend = $$("legend");
    if (state.colour === "set") {
      legend.replaceChildren(...data.sets.map((one, k) => {
        const button = make("button");
        button.type = "button";
        button.title = "Select these images in all panels";
        button.append(swatch(k % PAIRS), one.name);
        button.addEventListener("click", (event) =>
          select(data.set.flatMap((s, i) => (s === k ? [i] : [])), event));
        return button;
      }));
      return;
    }
    const list = contentList(data, "Select a content in all panels", (c) => select(versionsOf[c] || []));
    legend.replaceChildren(list, make("p", "Versions of one content share a colour and marker.", "note"));
  }

  function start() {
    $$("explorer").hidden = false;
    panels.forEach(buildPanel);
    data.layers.forEach(({ value, name }) => $$("layer").append(new Option(name, value)));
    $$("layer").value = data.chosen;
    for (let run = 0; run < runs; run++) $$("run").append(new Option(`${run + 1} of ${runs}`, String(run)));
    if (runs < 2) $$("run").closest("label").hidden = true;
    if (!data.panels.some((p) => p.untrained.length)) $$("source").closest("label").hidden = true;
    for (const name of ["colour", "tool"]) {
      for (const input of document.querySelectorAll(`input[name=${name}]`)) {
        input.addEventListener("change", () => {
          state[name] = input.value;
          if (name === "tool") return;
          drawLegend();
          drawAll();
        });
      }
    }
    for (const name of ["layer", "source", "run"]) {
      $$(name).addEventListener("change", (event) => {
        state[name] = name === "run" ? Number(event.target.value) : event.target.value;
        drawAll();
      });
    }
    $$("clear").addEventListener("click", () => select([]));
    drawLegend();
    inspect(-1);
    tellSelection();
    drawAll();
  }

  Promise.all(sheets.map((image) => image.decode())).then(start);
})();
