// The editor: runs the statement without leaving the page, and shows the result a page at a time.
// Without this module the form does the same by a round trip.

const pageRows = 100;
const form = document.getElementById("editor");
const output = document.getElementById("output");
const text = form.elements.sql;
const button = form.querySelector("button[type=submit]");

form.addEventListener("submit", (event) => {
  event.preventDefault();
  run();
});

text.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    run();
  }
});

async function run() {
  if (button.disabled) return;
  button.disabled = true;
  output.replaceChildren(element("p", "note", "Running…"));
  try {
    const csrf = form.elements.csrf;
    const response = await fetch("/api/v1/sql", {
      method: "POST",
      headers: {
        "Content-Type": "application/json",
        ...(csrf ? { "X-CSRF-Token": csrf.value } : {}),
      },
      body: JSON.stringify({
        sql: selection(),
        catalog: form.elements.catalog.value,
        schema: form.elements.schema.value,
      }),
    });
    if (response.status === 401) {
      location.assign("/login?next=/sql");
      return;
    }
    const type = response.headers.get("Content-Type") ?? "";
    if (!type.startsWith("application/json")) throw new Error(await response.text());
    show(await response.json());
  } catch (error) {
    output.replaceChildren(element("p", "fault", String(error.message || error)));
  } finally {
    button.disabled = false;
  }
}

// What is selected runs alone, as in other editors.
function selection() {
  const part = text.value.slice(text.selectionStart, text.selectionEnd);
  return part.trim() ? part : text.value;
}

function show(answer) {
  if (answer.error) {
    const error = answer.error;
    const parts = [element("p", "fault", error.message)];
    parts[0].setAttribute("role", "alert");
    if (error.caret) parts.push(element("pre", "caret", error.caret));
    if (error.hint) parts.push(element("p", "hint", error.hint));
    const note = element("p", "note");
    note.append(element("code", "", error.code), ...details(answer.queryId));
    output.replaceChildren(...parts, note);
    return;
  }
  const parts = answer.warnings.map((warning) => element("p", "hint", warning));
  if (answer.updateType) {
    const rows = answer.updateCount === undefined ? "" : `, ${counted(answer.updateCount)}`;
    parts.push(element("p", "done", answer.updateType + rows));
  }
  const note = element("p", "note");
  const more = answer.isTruncated ? ", the first of more" : "";
  const count = answer.columns.length ? `${counted(answer.rows.length)}${more}, ` : "";
  note.append(count + duration(answer.elapsedMilliseconds), ...details(answer.queryId));
  parts.push(note);
  if (answer.columns.length) parts.push(...table(answer.columns, answer.rows));
  output.replaceChildren(...parts);
}

function table(columns, rows) {
  const head = element("tr");
  for (const column of columns) {
    const cell = element("th", column.isNumeric ? "number" : "");
    cell.scope = "col";
    cell.append(element("span", "name", column.name), " ", element("span", "type", column.type));
    head.append(cell);
  }
  const top = element("thead");
  top.append(head);
  const body = element("tbody");
  const whole = element("table", "data");
  whole.append(top, body);
  const box = element("div", "scroll");
  box.tabIndex = 0;
  box.setAttribute("role", "region");
  box.setAttribute("aria-label", "Result");
  box.append(whole);

  const pages = Math.max(1, Math.ceil(rows.length / pageRows));
  const pager = element("div", "pager");
  const before = element("button", "", "Before");
  const after = element("button", "", "Next");
  const place = element("span", "note");
  before.type = after.type = "button";
  pager.append(before, place, after);
  let page = 0;
  const turn = (to) => {
    page = to;
    const from = page * pageRows;
    body.replaceChildren(...rows.slice(from, from + pageRows).map((row) => line(row, columns)));
    place.textContent = `${from + 1} to ${Math.min(from + pageRows, rows.length)} of ${rows.length}`;
    before.disabled = page === 0;
    after.disabled = page === pages - 1;
    box.scrollTop = 0;
  };
  before.addEventListener("click", () => turn(page - 1));
  after.addEventListener("click", () => turn(page + 1));
  turn(0);
  return pages > 1 ? [box, pager] : [box];
}

function line(row, columns) {
  const result = element("tr");
  row.forEach((value, index) => {
    const kind = columns[index].isNumeric ? "number" : "";
    if (value === null) result.append(element("td", `null ${kind}`.trim(), "NULL"));
    else result.append(element("td", kind, String(value)));
  });
  return result;
}

function details(id) {
  if (!id) return [];
  const link = element("a", "", "details");
  link.href = `/ui/query.html?${encodeURIComponent(id)}`;
  return [" · ", link];
}

function element(name, kind = "", content) {
  const made = document.createElement(name);
  if (kind) made.className = kind;
  if (content !== undefined) made.textContent = content;
  return made;
}

function counted(count) {
  return `${Number(count).toLocaleString("en")} row${Number(count) === 1 ? "" : "s"}`;
}

function duration(milliseconds) {
  return milliseconds < 1000 ? `${milliseconds} ms` : `${(milliseconds / 1000).toFixed(1)} s`;
}
