// Sorts and filters the table of trials.
const table = document.getElementById("trials");
const body = table.tBodies[0];
const rows = [...body.rows];
const query = document.getElementById("query");
const state = document.getElementById("state");
const count = document.getElementById("count");

function compare(a, b) {
  if (a === "" || b === "") return (a === "") - (b === "");  // what has no value comes last, whichever way
  const difference = Number(a) - Number(b);
  return Number.isNaN(difference) ? a.localeCompare(b) : difference;
}

function sort(heading) {
  const column = [...heading.parentNode.children].indexOf(heading);
  const down = heading.getAttribute("aria-sort") !== "descending";
  for (const other of heading.parentNode.children) other.removeAttribute("aria-sort");
  heading.setAttribute("aria-sort", down ? "descending" : "ascending");
  const key = (row) => row.cells[column].dataset.sort ?? row.cells[column].textContent.trim();
  const way = down ? -1 : 1;
  rows.sort((a, b) => {
    const [first, second] = [key(a), key(b)];
    return first === "" || second === "" ? compare(first, second) : way * compare(first, second);
  });
  body.append(...rows);
}

// `trial 3`, `pruned`, `hidden_size=64`, `learning_rate<0.001`: words that a row must all match.
function matches(row, word) {
  const parts = word.match(/^([\w[\]]+)(<=|>=|=|<|>)(.+)$/);
  if (!parts) return row.textContent.toLowerCase().includes(word);
  const [, name, sign, wanted] = parts;
  const cell = [...row.cells].find((cell) => cell.dataset.name?.toLowerCase() === name);
  const value = cell?.dataset.sort ?? "";
  if (value === "") return false;
  const order = compare(value.toLowerCase(), wanted);
  return { "=": order === 0, "<": order < 0, ">": order > 0, "<=": order <= 0, ">=": order >= 0 }[sign];
}

function filter() {
  const words = query.value.toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  for (const row of rows) {
    row.hidden = !((!state.value || row.dataset.state === state.value) && words.every((word) => matches(row, word)));
    shown += !row.hidden;
  }
  count.textContent = `${shown} of ${rows.length} trials`;
}

for (const button of table.tHead.querySelectorAll("button")) {
  button.addEventListener("click", () => sort(button.closest("th")));
}
query.addEventListener("input", filter);
state.addEventListener("input", filter);
filter();
