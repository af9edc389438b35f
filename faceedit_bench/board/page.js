
/* Filters keep rows and columns of every table; a section without rows is hidden. Ranks stay what they were. */

const filters = document.getElementById("filters");
const lists = [...filters.querySelectorAll("select")];
const words = document.getElementById("words");

function asks(heading, judge) {
  return judge === "" || !heading.dataset.judges || heading.dataset.judges.split(" ").includes(judge);
}

/* Columns that ask another judge are hidden; false where no column asks this one. */

function keepColumns(table, rows, judge) {
  const headings = [...table.tHead.rows[0].cells];
  const about = headings.filter((heading) => heading.dataset.judges);
  if (!about.some((heading) => asks(heading, judge))) return false;
  headings.forEach((heading, column) => {
    const hidden = !asks(heading, judge);
    if (heading.hidden === hidden) return;
    heading.hidden = hidden;
    for (const row of rows) row.cells[column].hidden = hidden;
  });
  return true;
}

function apply() {
  const { judge, ...wanted } = Object.fromEntries(lists.map((list) => [list.dataset.key, list.value]));
  const keys = Object.keys(wanted).filter((key) => wanted[key] !== "");
  const part = words.value.trim().toLowerCase();
  const told = [];
  for (const [table, listing] of listings) {
    const judged = keepColumns(table, listing.rows, judge ?? "");
    listing.keep((row) => judged && keys.every((key) => row.dataset[key] === wanted[key]) &&
      (part === "" || row.cells[0].textContent.toLowerCase().includes(part)));
    const shown = listing.fitting.length;
    const section = table.closest("section");
    table.closest(".wide").hidden = shown === 0;
    if (section.id !== "scores") section.hidden = shown === 0;
    if (section.id === "scores") told.push(`${shown} of ${listing.rows.length} runs measured here`);
    if (section.id === "published") told.push(`${shown} of ${listing.rows.length} published numbers`);
  }
  document.getElementById("shown").textContent = told.join(", ");
}

for (const list of lists) list.addEventListener("change", apply);
words.addEventListener("input", apply);
document.getElementById("clear").addEventListener("click", () => {
  for (const list of lists) list.value = "";
  words.value = "";
  apply();
});
filters.hidden = false;
apply();
