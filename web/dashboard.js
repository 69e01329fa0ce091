// A dashboard that moves: the server tells when a watched table has a new state, the page fetches its
// tiles again. Without this module the page shows what was true when it was loaded.

const tiles = document.querySelector("[data-dashboard]");
const address = tiles.dataset.dashboard;
const live = document.getElementById("live");
let shown = tiles.dataset.state;
let isRunning = false;
let wanted = null;

const events = new EventSource(`${address}/events?since=${encodeURIComponent(shown)}`);
events.addEventListener("open", () => say("live", false));
events.addEventListener("error", () => say("connection lost, trying again", true));
events.addEventListener("tables", (event) => {
  wanted = event.data;
  refresh();
});

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
    const response = await fetch(`${address}/tiles/${encodeURIComponent(tile.dataset.tile)}`);
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

function say(text, isLost) {
  live.hidden = false;
  live.textContent = text;
  live.classList.toggle("lost", isLost);
}
