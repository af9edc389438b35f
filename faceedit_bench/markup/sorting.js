"use strict";

/* Sorting: every heading of a sortable table becomes a button. Empty cells stay at the end. A long table draws its
   first rows, the others are kept aside: the order is that of all rows. */

const FIRST = 50; // rows of a long table
const letters = new Intl.Collator(undefined, { numeric: true });
const listings = new Map(); // table -> its rows

function keyOf(row, column) {
  const cell = row.children[column];
  const value = cell.getAttribute("data-value");
  if (value === null) return cell.textContent.trim();
  return value === "" ? null : Number(value.replace("inf", "Infinity"));
}

function compare(one, other) {
  return typeof one === "number" && typeof other === "number" ? one - other : letters.compare(one, other);
}

class Listing {
  constructor(table) {
    this.table = table;
    this.rows = [...table.tBodies[0].rows];
    this.fitting = this.rows;
    this.limit = table.closest(".long") ? FIRST : Infinity;
    if (this.limit === FIRST) this.offerAll();
  }

  offerAll() {
    this.more = document.createElement("p");
    this.more.className = "more";
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "Draw all rows";
    button.addEventListener("click", () => { this.limit = Infinity; this.draw(); });
    this.more.append(document.createElement("span"), " ", button);
    this.table.closest(".long").after(this.more);
    this.draw();
  }

  keep(fits) {
    this.fits = fits;
    this.draw();
  }

  draw() {
    this.fitting = this.fits ? this.rows.filter(this.fits) : this.rows;
    this.table.tBodies[0].replaceChildren(...this.fitting.slice(0, this.limit));
    this.table.classList.add("drawn");
    if (!this.more) return;
    this.more.hidden = this.fitting.length <= this.limit;
    this.more.firstChild.textContent = `The first ${this.limit} of ${this.fitting.length} rows are drawn; sorting and filters look at all.`;
  }

  sort(column, heading) {
    const before = heading.getAttribute("aria-sort");
    const first = heading.dataset.better === "higher" ? "descending" : "ascending";
    const other = first === "ascending" ? "descending" : "ascending";
    const now = before === first ? other : first;
    const sign = now === "ascending" ? 1 : -1;
    const keyed = this.rows.map((row) => [keyOf(row, column), row]);
    keyed.sort(([one], [two]) => (one === null) - (two === null) || (one === null ? 0 : sign * compare(one, two)));
    this.rows = keyed.map(([, row]) => row);
    this.draw();
    for (const cell of this.table.tHead.rows[0].cells) cell.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", now);
  }
}

for (const table of document.querySelectorAll("table.sortable")) {
  const listing = new Listing(table);
  listings.set(table, listing);
  [...table.tHead.rows[0].cells].forEach((heading, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...heading.childNodes);
    heading.append(button);
    button.addEventListener("click", () => listing.sort(column, heading));
  });
}
