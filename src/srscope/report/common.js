"use strict";
/* What all pages share: elements, pictures of patches, the tip at the pointer, the colour scheme.
   Names are only ever set as text. */

function make(name, text, className) {
  const element = document.createElement(name);
  if (text !== undefined) element.textContent = text;
  if (className) element.className = className;
  return element;
}

const plural = (n, one, many) => `${n} ${n === 1 ? one : many}`;

/* Draw patch `index` of a sprite sheet over the whole canvas. */
function paintPatch(canvas, image, sheet, index) {
  const { columns, width, height } = sheet;
  const pen = canvas.getContext("2d");
  pen.imageSmoothingEnabled = false;
  pen.clearRect(0, 0, canvas.width, canvas.height);
  pen.drawImage(image, (index % columns) * width, Math.floor(index / columns) * height, width,
    height, 0, 0, canvas.width, canvas.height);
}

/* Put the tip beside the pointer, on the side where there is room. */
function placeTip(tip, event) {
  const box = tip.getBoundingClientRect();
  const right = event.clientX + 18 + box.width < document.documentElement.clientWidth;
  const below = event.clientY + 18 + box.height < window.innerHeight;
  tip.style.left = `${right ? event.clientX + 18 : Math.max(4, event.clientX - 18 - box.width)}px`;
  tip.style.top = `${below ? event.clientY + 18 : Math.max(4, event.clientY - 18 - box.height)}px`;
}

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

(() => {
  const themes = { auto: "Auto", light: "Light", dark: "Dark" };
  const button = document.getElementById("theme");
  button.addEventListener("click", () => {
    const names = Object.keys(themes), root = document.documentElement;
    const next = names[(names.indexOf(root.dataset.theme || "auto") + 1) % names.length];
    if (next === "auto") delete root.dataset.theme;
    else root.dataset.theme = next;
    button.textContent = themes[next];
    button.setAttribute("aria-label", `Colours: ${next === "auto" ? "automatic" : next}`);
  });
})();
