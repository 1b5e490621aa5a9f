/* Tables whose rows are sorted by a click on a column's head: first one way, then the other. */
for (const table of document.querySelectorAll("table.sortable")) {
  const heads = [...table.querySelectorAll("thead th")];
  heads.forEach((head, column) => {
    const button = make("button", undefined, "sort");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const numeric = head.dataset.kind === "number";
      const was = head.getAttribute("aria-sort");
      // Numbers begin with the largest, words with A.
      const down = was ? was === "ascending" : numeric;
      heads.forEach((each) => each.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const key = (row) => {
        const value = row.children[column].dataset.value;
        return numeric ? (value === "" ? NaN : Number(value)) : value.toLowerCase();
      };
      const body = table.tBodies[0];
      const rows = [...body.rows].map((row, index) => ({ row, index, key: key(row) }));
      rows.sort((a, b) => {
        // What is undefined stays at the end, whichever way.
        if (numeric && (Number.isNaN(a.key) || Number.isNaN(b.key))) {
          return Number.isNaN(a.key) - Number.isNaN(b.key) || a.index - b.index;
        }
        const order = numeric ? a.key - b.key : a.key.localeCompare(b.key);
        return (down ? -order : order) || a.index - b.index;
      });
      body.append(...rows.map(({ row }) => row));
    });
  });
}
