// A dashboard that moves: the server tells when a watched table has a new state, the page fetches its
// tiles again. Filters, marks and the moment that is shown change the address, and the tiles with it.
// Without this module the page shows what was true when it was loaded; links and forms work alike.

const main = document.getElementById("main");
let tiles, address, shown;
let isRunning = false;
let wanted = null;

function adopt() {
  tiles = document.querySelector("[data-dashboard]");
  address = tiles.dataset.dashboard;
  shown = tiles.dataset.state;
  for (const select of document.querySelectorAll("select[data-slider]")) addSlider(select);
  addShare();
}
adopt();

const events = new EventSource(`${address}/events?since=${encodeURIComponent(shown)}`);
events.addEventListener("open", () => say(isPast() ? "a past state" : "live", false));
events.addEventListener("error", () => say("connection lost, trying again", true));
events.addEventListener("tables", (event) => {
  wanted = event.data;
  if (!isPast()) refresh();
});

function isPast() {
  return tiles.dataset.past !== undefined;
}

// One round at a time; what comes meanwhile makes one more.
async function refresh() {
  if (isRunning) return;
  isRunning = true;
  while (wanted !== null && wanted !== shown) {
    const state = wanted;
    for (const tile of tiles.querySelectorAll("[data-tile]")) await replace(tile);
    shown = state;
    tiles.dataset.state = state;
    say("moved just now", false);
  }
  isRunning = false;
}

async function replace(tile) {
  tile.setAttribute("aria-busy", "true");
  try {
    const place = `${address}/tiles/${encodeURIComponent(tile.dataset.tile)}${location.search}`;
    const response = await fetch(place);
    if (response.redirected || response.status === 401) {
      location.reload();
      return;
    }
    if (!response.ok) throw new Error(`the tile answers ${response.status}`);
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    const content = tile.querySelector(".content");
    const isOpen = content.querySelector("details")?.open ?? false;
    content.replaceChildren(...page.body.childNodes);
    const details = content.querySelector("details");
    if (details) details.open = isOpen;
    tile.classList.add("moved");
    setTimeout(() => tile.classList.remove("moved"), 1500);
  } catch (error) {
    say(String(error.message || error), true);
  } finally {
    tile.removeAttribute("aria-busy");
  }
}

// Another view of the same dashboard: only what differs is put in, the place on the page stays.
async function show(url, isNew) {
  main.setAttribute("aria-busy", "true");
  try {
    const response = await fetch(url);
    if (!response.ok || response.redirected) {
      location.assign(url);
      return;
    }
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    const focused = document.activeElement?.getAttribute("name");
    main.replaceChildren(...page.getElementById("main").childNodes);
    if (isNew) history.pushState(null, "", url);
    adopt();
    if (focused) document.querySelector(`[name="${CSS.escape(focused)}"]`)?.focus();
    say(isPast() ? "a past state" : "live", false);
  } catch {
    location.assign(url);
  } finally {
    main.removeAttribute("aria-busy");
  }
}

main.addEventListener("click", (event) => {
  const link = event.target.closest("a.mark, #filters a");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  event.preventDefault();
  // Links in drawings have an animated value.
  show(link.href.baseVal ?? link.href, true);
});

main.addEventListener("submit", (event) => {
  if (event.target.id !== "filters") return;
  event.preventDefault();
  const pairs = [...new FormData(event.target)].filter(([, value]) => value !== "");
  const query = new URLSearchParams(pairs).toString();
  show(address + (query ? `?${query}` : ""), true);
});

main.addEventListener("change", (event) => {
  if (event.target.form?.id === "filters") event.target.form.requestSubmit();
});

addEventListener("popstate", () => show(location.href, false));

// The moments as a slider beside their list, from the oldest to the present.
function addSlider(select) {
  // Tags stand in the list alone: they have no place in the order of time.
  const moments = [...select.options].filter((option) => !option.value.startsWith("tag:")).reverse();
  const chosen = moments.indexOf(select.selectedOptions[0]);
  const slider = document.createElement("input");
  slider.type = "range";
  slider.min = 0;
  slider.max = moments.length - 1;
  slider.value = chosen < 0 ? moments.length - 1 : chosen;
  slider.setAttribute("aria-label", "State of the tables, from the oldest to the present");
  slider.addEventListener("input", () => {
    moments[slider.value].selected = true;
  });
  select.after(slider);
}

function addShare() {
  const head = document.querySelector(".head");
  if (!head || !navigator.clipboard) return;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "quiet share";
  button.textContent = "Copy link";
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(location.href);
    say("the link is copied; it shows what its reader may see", false);
  });
  head.append(button);
}

function say(text, isLost) {
  const live = document.getElementById("live");
  live.hidden = false;
  live.textContent = text;
  live.classList.toggle("lost", isLost);
}
