"use strict";
/* What all pages with a script share: elements, pictures of patches, the tip at the pointer, the
   colour scheme. Names are only ever set as text. */

function make(name, text, className) {
  const element = document.createElement(name);
  if (text !== undefined) element.textContent = text;
  if (className) element.className = className;
  return element;
}

const byId = (id) => document.getElementById(id);

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

(() => {
  const themes = { auto: "Auto", light: "Light", dark: "Dark" };
  const button = byId("theme");
  button.addEventListener("click", () => {
    const names = Object.keys(themes), root = document.documentElement;
    const next = names[(names.indexOf(root.dataset.theme || "auto") + 1) % names.length];
    if (next === "auto") delete root.dataset.theme;
    else root.dataset.theme = next;
    button.textContent = themes[next];
    button.setAttribute("aria-label", `Colours: ${next === "auto" ? "automatic" : next}`);
  });
})();
