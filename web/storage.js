// Uploads: files that are dropped or chosen go up one after the other, each with how far it is.

const form = document.getElementById("upload");
const input = form.elements.files;
const list = form.querySelector(".uploads");
const waiting = [];
let isBusy = false;
let failed = 0;

input.addEventListener("change", () => {
  add([...input.files].map((file) => [file, file.name]));
  input.value = "";
});

form.addEventListener("submit", (event) => event.preventDefault());

for (const kind of ["dragenter", "dragover"]) {
  form.addEventListener(kind, (event) => {
    event.preventDefault();
    form.classList.add("over");
  });
}
for (const kind of ["dragleave", "drop"]) {
  form.addEventListener(kind, () => form.classList.remove("over"));
}
form.addEventListener("drop", async (event) => {
  event.preventDefault();
  const entries = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.length) return add([...event.dataTransfer.files].map((file) => [file, file.name]));
  const found = [];
  for (const entry of entries) await collect(entry, "", found);
  add(found);
});

// A folder is walked: its files keep their paths below it.
async function collect(entry, path, found) {
  if (entry.isFile) {
    found.push([await new Promise((good, bad) => entry.file(good, bad)), path + entry.name]);
    return;
  }
  const reader = entry.createReader();
  for (;;) {
    const some = await new Promise((good, bad) => reader.readEntries(good, bad));
    if (!some.length) return;
    for (const inner of some) await collect(inner, `${path}${entry.name}/`, found);
  }
}

function add(files) {
  for (const [file, name] of files) {
    const row = document.createElement("li");
    const bar = document.createElement("progress");
    const note = document.createElement("span");
    bar.max = Math.max(file.size, 1);
    bar.value = 0;
    note.className = "note";
    note.textContent = "waiting";
    row.append(Object.assign(document.createElement("code"), { textContent: name }), bar, note);
    list.append(row);
    waiting.push({ file, name, bar, note });
  }
  next();
}

function next() {
  if (isBusy) return;
  const one = waiting.shift();
  if (!one) {
    if (list.childElementCount && !failed) location.reload();
    return;
  }
  isBusy = true;
  const request = new XMLHttpRequest();
  const key = form.dataset.prefix + one.name;
  request.open("PUT", `/storage/${encodeURIComponent(form.dataset.bucket)}/upload?key=${encodeURIComponent(key)}`);
  if (form.dataset.csrf) request.setRequestHeader("X-CSRF-Token", form.dataset.csrf);
  if (one.file.type) request.setRequestHeader("Content-Type", one.file.type);
  request.upload.addEventListener("progress", (event) => {
    one.bar.value = event.loaded;
    one.note.textContent = `${Math.floor((100 * event.loaded) / Math.max(event.total, 1))} %`;
  });
  request.addEventListener("loadend", () => {
    isBusy = false;
    if (request.status === 201) {
      one.bar.value = one.bar.max;
      one.note.textContent = "done";
    } else {
      failed += 1;
      one.note.className = "fault";
      one.note.textContent = reason(request);
    }
    next();
  });
  request.send(one.file);
}

function reason(request) {
  if (!request.status) return "the connection broke off";
  try {
    const { message, hint } = JSON.parse(request.responseText).error;
    return hint ? `${message}: ${hint}` : message;
  } catch {
    return request.responseText.trim() || `status ${request.status}`;
  }
}
