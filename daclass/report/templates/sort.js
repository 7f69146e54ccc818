// Makes tables with the class "sortable" sortable by their columns, and prints folded tables open.
// The first click puts first what one looks for: the largest number, or the smallest q. The page says
// everything without it.
for (const table of document.querySelectorAll("table.sortable")) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const sorted = head.getAttribute("aria-sort");
      const best = head.dataset.best ?? (head.classList.contains("word") || column === 0 ? "up" : "down");
      const down = sorted ? sorted === "ascending" : best === "down";
      const key = (row) => row.cells[column].dataset.value ?? row.cells[column].textContent.trim();
      const compare = (a, b) => {
        const x = key(a), y = key(b);
        if (x === "" || y === "") return (x === "") - (y === "");
        const numeric = !isNaN(x) && !isNaN(y);
        const order = numeric ? x - y : String(x).localeCompare(String(y));
        return down ? -order : order;
      };
      table.tBodies[0].append(...[...table.tBodies[0].rows].sort(compare));
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
    });
  });
}
addEventListener("beforeprint", () => {
  for (const folded of document.querySelectorAll("details")) folded.open = true;
});
