/* Linked plots of the same images: one state (how images are coloured, which is pointed at, which
   are selected), its controls, and what is told of it. The page draws its plots by that state. */

const PAIRS = COLOURS * MARKERS.length;

/* Return the selection after a click or a drag: with a modifier key it is added to. */
function changedSelection(selected, indices, event) {
  const adding = event && (event.shiftKey || event.ctrlKey || event.metaKey);
  const only = indices.length === 1 && selected.has(indices[0]);
  if (!adding) return new Set(only && selected.size === 1 ? [] : indices);
  const changed = new Set(selected);
  if (only) changed.delete(indices[0]);
  else indices.forEach((i) => changed.add(i));
  return changed;
}

/* Say how many images are selected, of what. */
function toldSelection(data, chosen) {
  if (chosen.length === 0) return "Nothing selected.";
  const perSet = data.sets.map((s, k) => [s.name, chosen.filter((i) => data.set[i] === k).length]);
  const contents = new Set(chosen.map((i) => data.content[i])).size;
  return `${chosen.length} of ${data.set.length} selected, ${plural(contents, "content", "contents")}: ` +
    perSet.filter(([, n]) => n).map(([name, n]) => `${n} ${name}`).join(", ");
}

/* Pictures of at most 24 of the images, evenly, so that every set among them has its share. */
function pictured(chosen, thumb) {
  const places = Math.min(24, chosen.length);
  const shown = Array.from({ length: places }, (_, n) =>
    thumb(chosen[Math.floor((n * chosen.length) / places)]));
  if (chosen.length > places) shown.push(make("div", `and ${chosen.length - places} more`, "more"));
  return shown;
}

/* A list of all contents; `choose` is given the number of the one chosen, or -1. */
function contentList(data, label, choose) {
  const list = make("select");
  list.setAttribute("aria-label", label);
  list.append(new Option("Choose a content …", "-1"));
  data.contents.forEach((name, c) => list.append(new Option(name, String(c))));
  list.addEventListener("change", () => choose(Number(list.value)));
  return list;
}

/* Return the state, and what a page of linked plots does with it.

   data: sets, contents, and set and content of every image. page:
     runs                      how many t-SNE runs can be drawn
     untrained                 whether there is an untrained control
     everywhere                where a selection shows, such as "in all layers"
     invitation                what is said while nothing is pointed at
     paint(canvas, image, plot)  draws an image's picture, as shown in that plot or in any
     draw(), ring()            draw all plots, or only the rings round what is pointed at
     focus()                   gives the keyboard to a plot */
function explorer(data, page) {
  const state = { colour: "set", tool: "box", source: "layers", run: 0, selected: new Set(), hover: -1 };
  const tip = byId("tip");

  const versionsOf = data.contents.map(() => []);
  data.content.forEach((c, i) => versionsOf[c].push(i));
  const setName = (i) => data.sets[data.set[i]].name;
  const contentName = (i) => data.contents[data.content[i]];
  const twins = (i) => (i < 0 ? [] : versionsOf[data.content[i]].filter((j) => j !== i));
  const pairOf = (i) => (state.colour === "set" ? data.set[i] : data.content[i]) % PAIRS;

  function thumb(index, side) {
    const box = make("div");
    const canvas = box.appendChild(make("canvas"));
    canvas.width = canvas.height = side;
    page.paint(canvas, index);
    box.title = `${setName(index)}: ${contentName(index)}`;
    box.append(setName(index));
    return box;
  }

  /* ---- what the pointer or the keyboard is on ---- */
  function hover(index, event, plot) {
    if (index !== state.hover) {
      state.hover = index;
      page.ring();
      inspect(index);
    }
    const pointed = index >= 0 && event && event.pointerType !== "touch" && event.type !== "keydown";
    tip.hidden = !pointed;
    if (pointed) {
      page.paint(tip.firstElementChild, index, plot);
      tip.lastElementChild.replaceChildren(make("b", setName(index)), make("br"), contentName(index));
      placeTip(tip, event);
    }
  }

  function inspect(index) {
    byId("picture").hidden = index < 0;
    if (index < 0) {
      byId("picture-name").textContent = page.invitation;
      byId("versions").replaceChildren();
      return;
    }
    page.paint(byId("picture"), index);
    byId("picture-name").replaceChildren(make("b", setName(index)), ` · ${contentName(index)}`);
    byId("versions").replaceChildren(...twins(index).slice(0, 8).map((i) => thumb(i, 64)));
  }

  /* neighbour(dx, dy): the image next to the one pointed at, in that direction, or -1. */
  function listen(svg, neighbour, plot) {
    svg.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
      if (step) {
        const next = neighbour(...step);
        if (next >= 0) hover(next, event, plot);
      } else if (event.key === "Enter" || event.key === " ") {
        if (state.hover >= 0) select([state.hover], event);
      } else if (event.key === "Escape") select([]);
      else return;
      event.preventDefault();
    });
    svg.addEventListener("blur", () => hover(-1));
  }

  /* ---- selection ---- */
  function select(indices, event) {
    state.selected = changedSelection(state.selected, indices, event);
    page.draw();
    tellSelection();
  }

  function tellSelection() {
    const chosen = [...state.selected].sort((a, b) => a - b);
    byId("clear").hidden = chosen.length === 0;
    byId("selection-status").textContent = toldSelection(data, chosen);
    byId("selected").replaceChildren(...pictured(chosen, (i) => thumb(i, 48)));
  }

  /* ---- legend: the sets, or a list of contents ---- */
  function drawLegend() {
    const legend = byId("legend");
    if (state.colour === "set") {
      legend.replaceChildren(...data.sets.map((one, k) => {
        const button = make("button");
        button.type = "button";
        button.title = `Select these images ${page.everywhere}`;
        button.append(swatch(k % PAIRS), one.count === undefined ? one.name : `${one.name} (${one.count})`);
        button.addEventListener("click", (event) =>
          select(data.set.flatMap((s, i) => (s === k ? [i] : [])), event));
        return button;
      }));
      return;
    }
    const list = contentList(data, `Select a content ${page.everywhere}`, (c) => select(versionsOf[c] || []));
    const few = data.contents.length <= PAIRS ? "." : `; pairs repeat after ${PAIRS} contents.`;
    legend.replaceChildren(list, make("p", `Versions of one content share a colour and marker${few}`, "note"));
  }

  /* ---- the controls; then all is drawn for the first time ---- */
  function start() {
    for (let run = 0; run < page.runs; run++) byId("run").append(new Option(`${run + 1} of ${page.runs}`, String(run)));
    if (page.runs < 2) byId("run").closest("label").hidden = true;
    if (page.untrained) byId("source").append(new Option("untrained control", "untrained"));
    else byId("source").closest("label").hidden = true;
    for (const name of ["colour", "tool"]) {
      for (const input of document.querySelectorAll(`input[name=${name}]`)) {
        input.addEventListener("change", () => {
          state[name] = input.value;
          if (name === "tool") return;
          drawLegend();
          page.draw();
        });
      }
    }
    byId("source").addEventListener("change", (event) => { state.source = event.target.value; page.draw(); });
    byId("run").addEventListener("change", (event) => { state.run = Number(event.target.value); page.draw(); });
    byId("clear").addEventListener("click", () => { select([]); page.focus(); });
    byId("explorer").hidden = false;
    drawLegend();
    inspect(-1);
    tellSelection();
    page.draw();
  }

  return { state, twins, pairOf, hover, select, listen, start };
}
