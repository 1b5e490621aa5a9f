/* The report's plots: one state, drawn into every panel. Names are only ever set as text. */
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const $$ = (id) => document.getElementById(id);
  const sprite = $$("sprite");
  const PAIRS = COLOURS * MARKERS.length;
  const count = data.set.length;

  const versionsOf = data.contents.map(() => []);
  data.content.forEach((c, i) => versionsOf[c].push(i));
  const pairsBySet = data.set.map((k) => k % PAIRS);
  const pairsByContent = data.content.map((c) => c % PAIRS);

  const state = { colour: "set", tool: "box", source: "layers", run: 0, depth: data.layers.length,
    selected: new Set(), hover: -1 };

  const setName = (i) => data.sets[data.set[i]].name;
  const contentName = (i) => data.contents[data.content[i]];

  /* Panel 0 is the raw pixels; panel d > 0 the d-th layer of the network drawn. */
  const entryOf = (depth) => (depth === 0 ? data.pixels : data[state.source][depth - 1]);
  const pairs = () => (state.colour === "set" ? pairsBySet : pairsByContent);
  const twins = (i) => (i < 0 ? [] : versionsOf[data.content[i]].filter((j) => j !== i));

  const paint = (canvas, index) => paintPatch(canvas, sprite, data.sprite, index);

  function thumb(index, side, name) {
    const box = make("div");
    const canvas = box.appendChild(make("canvas"));
    canvas.width = canvas.height = side;
    paint(canvas, index);
    box.title = `${setName(index)}: ${contentName(index)}`;
    box.append(name);
    return box;
  }

  /* ---- what the pointer or the keyboard is on ---- */
  const tip = $$("tip");

  function hover(index, event) {
    if (index !== state.hover) {
      state.hover = index;
      for (const plot of [large, ...small.map((s) => s.plot)]) plot.ring(index, twins(index));
      inspect(index);
      if (index >= 0) {
        paint(tip.firstElementChild, index);
        tip.lastElementChild.replaceChildren(make("b", setName(index)), make("br"), contentName(index));
      }
    }
    const pointed = index >= 0 && event && event.pointerType !== "touch" && event.type !== "keydown";
    tip.hidden = !pointed;
    if (pointed) placeTip(tip, event);
  }

  function inspect(index) {
    $$("picture").hidden = index < 0;
    if (index < 0) {
      $$("picture-name").textContent = "Point at an image to see it here.";
      $$("versions").replaceChildren();
      return;
    }
    paint($$("picture"), index);
    $$("picture-name").replaceChildren(make("b", setName(index)), ` · ${contentName(index)}`);
    const others = twins(index);
    $$("versions").replaceChildren(...others.slice(0, 8).map((i) => thumb(i, 64, setName(i))));
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
  const actions = { hover, select, tool: () => state.tool };
  const large = new Scatter($$("large"), 600, 5, actions);
  const small = [];

  function buildPanels() {
    for (let depth = 0; depth <= data.layers.length; depth++) {
      const figure = make("figure", undefined, depth === 0 ? "control" : "");
      const svg = figure.appendChild(svgElement("svg", { class: "plot", role: "img" }));
      const button = figure.appendChild(make("figcaption")).appendChild(make("button"));
      button.type = "button";
      button.addEventListener("click", () => {
        showDepth(depth);
        $$("large").scrollIntoView({ block: "nearest" });
      });
      $$("multiples").append(figure);
      small.push({ figure, svg, button, plot: new Scatter(svg, 200, 2.7, actions) });
    }
  }

  function scoreOf(entry) {
    const run = entry.points.length > 1 && entry.runs[state.run] !== undefined
      ? ` · this run ${entry.runs[state.run]}` : "";
    return { short: `CHI ${entry.chi} (${entry.grade})`, long: `CHI ${entry.chi}, grade ${entry.grade}${run}` };
  }

  const titleOf = (depth) => (depth === 0 ? "Raw pixels" : entryOf(depth).label);

  function drawLarge() {
    const entry = entryOf(state.depth), title = titleOf(state.depth);
    large.place(entry.points[state.run] || null);
    large.draw(pairs(), state.selected);
    large.ring(state.hover, twins(state.hover));
    const layers = data.layers.length;
    const where = state.depth === 0 ? "control, before the first layer"
      : `layer ${state.depth} of ${layers}${state.source === "untrained" ? ", untrained" : ""}`;
    $$("depth-name").textContent = `${title}, ${where}`;
    $$("depth-slider").setAttribute("aria-valuetext", `${title}, ${where}`);
    const dotted = state.depth > 0 && entry.layer !== entry.label ? ` · ${entry.layer}` : "";
    $$("large-caption").textContent = scoreOf(entry).long + dotted;
    $$("large").setAttribute("aria-label", `${title}: ${count} images, ${scoreOf(entry).long}. ` +
      "Arrow keys go from point to point, Enter selects, Escape clears.");
    small.forEach(({ figure, button }, depth) => {
      figure.classList.toggle("current", depth === state.depth);
      button.setAttribute("aria-pressed", String(depth === state.depth));
    });
  }

  function drawAll() {
    small.forEach(({ svg, button, plot }, depth) => {
      const entry = entryOf(depth);
      plot.place(entry.points[state.run] || null);
      plot.draw(pairs(), state.selected);
      plot.ring(state.hover, twins(state.hover));
      svg.setAttribute("aria-label", `${titleOf(depth)}: ${scoreOf(entry).short}`);
      button.title = titleOf(depth);
      button.replaceChildren(make("b", entry.short), make("span", scoreOf(entry).short));
    });
    drawLarge();
  }

  function showDepth(depth) {
    state.depth = Math.max(0, Math.min(data.layers.length, depth));
    $$("depth-slider").value = String(state.depth);
    drawLarge();
  }

  /* ---- legend: the sets, or a list of contents ---- */
  function drawLegend() {
    const legend = $$("legend");
    if (state.colour === "set") {
      legend.replaceChildren(...data.sets.map((one, k) => {
        const button = make("button");
        button.type = "button";
        button.title = "Select these images in all layers";
        button.append(swatch(k % PAIRS), `${one.name} (${one.count})`);
        button.addEventListener("click", (event) =>
          select(data.set.flatMap((s, i) => (s === k ? [i] : [])), event));
        return button;
      }));
      return;
    }
    const list = contentList(data, "Select a content in all layers", (c) => select(versionsOf[c] || []));
    const few = data.contents.length <= PAIRS ? "." : `; pairs repeat after ${PAIRS} contents.`;
    legend.replaceChildren(list, make("p", `Versions of one content share a colour and marker${few}`, "note"));
  }

  function drawRunNote() {
    const runs = data.pixels.points.length;
    const seed = data.seed === null ? "" : ` (seed ${data.seed + state.run})`;
    const first = state.run === 0 ? ", the first" : "";
    $$("run-note").textContent = runs > 1
      ? `Drawn: t-SNE run ${state.run + 1} of ${runs}${first}${seed}. Scores are means ± standard deviations over all runs.`
      : `Drawn: the only t-SNE run${seed}.`;
  }

  function keyboard(event) {
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (step) hover(large.neighbour(state.hover, ...step), event);
    else if (event.key === "Enter" || event.key === " ") {
      if (state.hover >= 0) select([state.hover], event);
    } else if (event.key === "Escape") select([]);
    else return;
    event.preventDefault();
  }

  function start() {
    $$("explorer").hidden = false;
    buildPanels();
    data.pixels.points.forEach((_, r) => $$("run").append(new Option(`${r + 1} of ${data.pixels.points.length}`, String(r))));
    if (data.untrained.length) $$("source").append(new Option("untrained control", "untrained"));
    else $$("source").closest("label").hidden = true;
    if (data.pixels.points.length < 2) $$("run").closest("label").hidden = true;
    $$("depth-slider").max = String(data.layers.length);
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
    $$("source").addEventListener("change", (e) => { state.source = e.target.value; drawAll(); });
    $$("run").addEventListener("change", (e) => { state.run = Number(e.target.value); drawRunNote(); drawAll(); });
    $$("depth-slider").addEventListener("input", (e) => showDepth(Number(e.target.value)));
    $$("large").addEventListener("keydown", keyboard);
    $$("large").addEventListener("blur", () => hover(-1));
    $$("clear").addEventListener("click", () => { select([]); $$("large").focus({ preventScroll: true }); });
    drawLegend();
    drawRunNote();
    inspect(-1);
    tellSelection();
    drawAll();
    showDepth(state.depth);
  }

  if (sprite.complete) start();
  else sprite.addEventListener("load", start, { once: true });
})();
