/* Linked plots of the same images: one state (how images are coloured, which is pointed at, which
   are selected), its controls, and what is told of it. The page draws its plots by that state. */

/* Contents whose versions are joined by lines, at most: of more, the lines would hide the points. */
const JOINED = 12;

/* Return the selection after a click or a drag: with a modifier key it is added to. */
function changedSelection(selected, indices, event) {
  const had = indices.length > 0 && indices.every((i) => selected.has(i));
  if (!event || !(event.shiftKey || event.ctrlKey || event.metaKey)) {
    return new Set(had && selected.size === indices.length ? [] : indices);
  }
  const changed = new Set(selected);
  indices.forEach((i) => (had ? changed.delete(i) : changed.add(i)));
  return changed;
}

/* Say how many images are selected, of what. */
function toldSelection(data, chosen) {
  if (chosen.length === 0) return "Nothing selected. Click a point to follow its content.";
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

/* Return the content whose versions stand nearest to the middles of their sets, the most typical.
   placeOf(i): where image i stands, or nothing. */
function typicalContent(data, versionsOf, placeOf) {
  const middles = data.sets.map((_, k) => {
    const places = data.set.map((s, i) => s === k && placeOf(i)).filter(Boolean);
    return [0, 1].map((axis) => places.reduce((sum, p) => sum + p[axis], 0) / places.length);
  });
  let best = 0, least = Infinity;
  versionsOf.forEach((images, content) => {
    const off = images.map((i) => {
      const place = placeOf(i), middle = middles[data.set[i]];
      return place ? Math.hypot(place[0] - middle[0], place[1] - middle[1]) : Infinity;
    });
    if (Math.max(...off) < least) [best, least] = [content, Math.max(...off)];
  });
  return best;
}

/* Return the state, and what a page of linked plots does with it.

   data: sets, contents, photographs, and set, content and photograph of every image. page:
     runs                      how many t-SNE runs can be drawn
     untrained                 whether there is an untrained control
     everywhere                where a selection shows, such as "in all layers"
     placeOf(image)            where it stands in the plot that the page opens with, or nothing
     paint(canvas, image, plot)  draws an image's picture, as shown in that plot or in any
     draw(), ring()            draw all plots, or only the rings round what is pointed at
     focus()                   gives the keyboard to a plot */
function explorer(data, page) {
  const state = { tool: "box", source: "layers", run: 0, selected: new Set(), hover: -1 };
  const tip = byId("tip");

  const versionsOf = data.contents.map(() => []);
  data.content.forEach((c, i) => versionsOf[c].push(i));
  const setName = (i) => data.sets[data.set[i]].name;
  const contentName = (i) => data.contents[data.content[i]];
  const versions = (i) => (i < 0 ? [] : versionsOf[data.content[i]]);
  /* The versions of each content that is selected, where these are few. */
  function joined() {
    const chosen = new Set([...state.selected].map((i) => data.content[i]));
    return chosen.size > JOINED ? [] : [...chosen].map((c) => versionsOf[c]);
  }

  function thumb(index, side) {
    const box = make("div");
    const canvas = box.appendChild(make("canvas"));
    canvas.width = canvas.height = side;
    page.paint(canvas, index);
    box.title = `${setName(index)}: ${contentName(index)}`;
    box.append(setName(index));
    return box;
  }

  /* ---- what the pointer or the keyboard is on; once it has left, what it was on last ---- */
  function hover(index, event, plot) {
    if (index >= 0 && index !== state.hover) {
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
    page.paint(byId("picture"), index);
    byId("picture-name").replaceChildren(make("b", setName(index)), ` · ${contentName(index)}`);
    byId("picture-set").textContent = setName(index);
    const others = versions(index).filter((i) => i !== index);
    byId("versions").replaceChildren(...others.slice(0, 8).map((i) => thumb(i, 128)));
  }

  /* neighbour(dx, dy): the image next to the one pointed at, in that direction, or -1. */
  function listen(svg, neighbour, plot) {
    svg.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
      if (step) {
        const next = neighbour(...step);
        if (next >= 0) hover(next, event, plot);
      } else if (event.key === "Enter" || event.key === " ") {
        if (state.hover >= 0) pick(state.hover, event);
      } else if (event.key === "Escape") select([]);
      else return;
      event.preventDefault();
    });
    svg.addEventListener("blur", () => hover(-1));
  }

  /* ---- selection ---- */
  function select(indices, event) {
    state.selected = changedSelection(state.selected, indices, event);
    byId("photograph").value = "-1";
    if (indices.length && !indices.includes(state.hover)) hover(indices[0]);
    page.draw();
    tellSelection();
  }

  /* A click selects all versions of a content, so that it can be followed. */
  const pick = (index, event) => select(versions(index), event);

  function tellSelection() {
    const chosen = [...state.selected].sort((a, b) => a - b);
    byId("clear").hidden = chosen.length === 0;
    byId("selection-status").textContent = toldSelection(data, chosen);
    byId("selected").replaceChildren(...pictured(chosen, (i) => thumb(i, 48)));
  }

  /* ---- the sets, and the photographs to choose from ---- */
  function drawLegend() {
    byId("legend").replaceChildren(...data.sets.map((one, k) => {
      const button = make("button");
      button.type = "button";
      button.title = `Select these images ${page.everywhere}`;
      button.append(swatch(k), one.count === undefined ? one.name : `${one.name} (${one.count})`);
      button.addEventListener("click", (event) =>
        select(data.set.flatMap((s, i) => (s === k ? [i] : [])), event));
      return button;
    }));
    const list = byId("photograph");
    list.title = `Select the images of a photograph ${page.everywhere}`;
    data.photographs.forEach((name, p) => list.append(new Option(name, String(p))));
    list.addEventListener("change", () => {
      const chosen = list.value;
      state.selected = new Set();
      select(data.photograph.flatMap((p, i) => (String(p) === chosen ? [i] : [])));
      list.value = chosen;
    });
  }

  /* ---- the controls; then all is drawn for the first time ---- */
  function start() {
    for (let run = 0; run < page.runs; run++) byId("run").append(new Option(`${run + 1} of ${page.runs}`, String(run)));
    if (page.runs < 2) byId("run").closest("label").hidden = true;
    if (page.untrained) byId("source").append(new Option("untrained control", "untrained"));
    else byId("source").closest("label").hidden = true;
    for (const input of document.querySelectorAll("input[name=tool]")) {
      input.addEventListener("change", () => { state.tool = input.value; });
    }
    byId("source").addEventListener("change", (event) => { state.source = event.target.value; page.draw(); });
    byId("run").addEventListener("change", (event) => { state.run = Number(event.target.value); page.draw(); });
    byId("clear").addEventListener("click", () => { select([]); page.focus(); });
    byId("explorer").hidden = false;
    drawLegend();
    tellSelection();
    page.draw();
    hover(versionsOf[typicalContent(data, versionsOf, page.placeOf)][0]);
  }

  return { state, versions, joined, hover, pick, select, listen, start };
}
