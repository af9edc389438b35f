/* The page opens with what is in view; the rest follows at once. */

addEventListener("load", () => setTimeout(() => {
  for (const image of document.querySelectorAll("img[loading=lazy]")) image.loading = "eager";
  document.documentElement.classList.add("settled");
}));

/* Links to a manifest open it. */

function openTarget() {
  const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (target && target.tagName === "DETAILS") target.open = true;
}

addEventListener("hashchange", openTarget);
openTarget();

/* Before and after in all tables of pictures. */

const grids = [...document.querySelectorAll(".grid")];
const controls = document.getElementById("controls");

function wipe(percent) {
  for (const grid of grids) {
    const source = grid.querySelector(".source").src;
    for (const edited of grid.querySelectorAll(".edited")) {
      let before = edited.parentNode.querySelector(".overlay");
      if (!before) {
        before = document.createElement("img");
        before.className = "overlay";
        before.alt = "";
        before.src = source;
        edited.parentNode.append(before);
      }
      before.style.clipPath = `inset(0 0 0 ${percent}%)`;
    }
  }
}

if (controls) {
  controls.hidden = false;
  document.getElementById("wipe").addEventListener("input", (event) => wipe(event.target.value));
  document.getElementById("differences").addEventListener("change", (event) => {
    for (const grid of grids) grid.classList.toggle("differences", event.target.checked);
  });
}

/* The viewer: one picture large, chosen by lists or by a click in a table. */

const viewer = document.getElementById("viewer");

function fill(select, names, chosen) {
  select.replaceChildren(...names.map((name, index) => new Option(name, index)));
  select.selectedIndex = Math.max(0, names.indexOf(chosen));
}

function start(view) {
  const [face, method, edit] = ["face", "method", "edit"].map((name) => document.getElementById(`viewer-${name}`));
  const cut = document.getElementById("viewer-cut");
  const [after, before, heat] = [".after", ".before", ".heat-map"].map((name) => view.querySelector(name));
  const tables = grids.map((grid) => grid.querySelector("table"));
  const rowsOf = (table) => [...table.tBodies[0].rows];
  const textOf = (cell) => cell.textContent.trim();
  const chosen = (select) => (select.selectedIndex < 0 ? "" : select.options[select.selectedIndex].textContent);

  function lists() {
    const table = tables[face.selectedIndex];
    fill(method, rowsOf(table).map((row) => textOf(row.cells[0])), chosen(method));
    fill(edit, [...table.tHead.rows[0].cells].slice(1).map(textOf), chosen(edit));
  }

  function show() {
    const table = tables[face.selectedIndex];
    const cell = rowsOf(table)[method.selectedIndex].cells[edit.selectedIndex + 1];
    const edited = cell.querySelector(".edited");
    const difference = cell.querySelector(".difference");
    view.querySelector(".pair").hidden = !edited;
    view.querySelector("figcaption").textContent = edited ? edited.alt : "no picture";
    if (!edited) return;
    const source = table.querySelector(".source");
    [after.src, after.alt, before.src, before.alt] = [edited.src, edited.alt, source.src, source.alt];
    heat.hidden = !difference;
    if (difference) [heat.src, heat.alt] = [difference.src, difference.alt];
    slide();
  }

  function slide() {
    before.style.clipPath = `inset(0 0 0 ${cut.value}%)`;
  }

  fill(face, tables.map((table) => table.dataset.face), "");
  lists();
  edit.selectedIndex = Math.min(1, edit.options.length - 1);
  show();
  face.addEventListener("change", () => { lists(); show(); });
  method.addEventListener("change", show);
  edit.addEventListener("change", show);
  cut.addEventListener("input", slide);
  view.hidden = false;
  tables.forEach((table, index) => table.addEventListener("click", (event) => {
    const cell = event.target.closest("td");
    if (!cell) return;
    face.selectedIndex = index;
    lists();
    method.selectedIndex = rowsOf(table).indexOf(cell.parentNode);
    edit.selectedIndex = cell.cellIndex - 1;
    show();
  }));
}

if (viewer && grids.length) start(viewer);
