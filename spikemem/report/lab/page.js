// What the page does: it draws Bokeh's figures when they come into view, moves them in time together, and colours the engram that is chosen.
"use strict";
(() => {
  const read = (id) => JSON.parse(document.getElementById(id).textContent);
  const lab = read("data"), documents = read("documents"), byId = (id) => document.getElementById(id);
  const end = lab.steps * lab.dt, least = 4 * lab.dt;
  let recall = null, chosen = 0;
  const model = (name) => recall.get_model_by_name(name);
  const number = (n) => n.toLocaleString("en");
  const text = (id) => lab.texts[id] === undefined ? `memory ${id}` : `${id} “${lab.texts[id]}”`;

  // What figures ask for, under the pointer.
  window.lab = {
    text,
    memories: (population, cell) => {
      const held = lab.holders[population][cell];
      if (!held) return "in no engram of those on this page";
      const [count, ...named] = held;
      return named.map(text).join(", ") + (count > named.length ? `, and ${count - named.length} more` : "");
    },
  };

  // -- drawing ---------------------------------------------------------------------------------------------------------------------

  async function draw(made) {
    const id = `document-${made.name}`;
    const roots = Object.fromEntries(Object.entries(made.roots).map(([root, place]) => [root, byId(place)]));
    await Bokeh.embed.embed_items({[id]: made.document}, [{docid: id, roots, root_ids: Object.keys(roots)}]);
    for (const place of Object.values(made.roots)) {
      byId(place).style.minHeight = "";
      byId(place).querySelectorAll("*").forEach(settle);
    }
  }

  // Figures are pictures to the keyboard; what can be done with them, the buttons and keys of the page do. A finger that moves up or down
  // moves the page, not the figure that it is on.
  function settle(part) {
    if (part.tabIndex === 0) part.tabIndex = -1;
    if (part.classList.contains("bk-events")) part.style.touchAction = "pan-y";
    part.shadowRoot?.querySelectorAll("*").forEach(settle);
  }

  function drawLater(made) {
    const watch = new IntersectionObserver((seen) => {
      if (!seen.some((one) => one.isIntersecting)) return;
      watch.disconnect();
      draw(made);
    }, {rootMargin: "300px"});
    for (const place of Object.values(made.roots)) watch.observe(byId(place));
  }

  // -- time ------------------------------------------------------------------------------------------------------------------------

  function show(start, stop) {
    const width = Math.min(Math.max(stop - start, least), end), from = Math.min(Math.max(start, 0), end - width);
    model("time").setv({start: from, end: from + width});
  }

  function cycle(name, back) {
    const {start, end: stop} = model("time"), starts = lab[name], whole = stop - start > end - 1;
    const at = starts.findLastIndex((time) => time <= start + 0.5);
    const to = whole ? 0 : (at + (back ? -1 : 1) + starts.length) % starts.length;
    show(starts[to], starts[to + 1] === undefined ? end : starts[to + 1]);
  }

  const moves = {
    left: (start, stop) => show(start - (stop - start) / 4, stop - (stop - start) / 4),
    right: (start, stop) => show(start + (stop - start) / 4, stop + (stop - start) / 4),
    in: (start, stop) => show(start + (stop - start) / 4, stop - (stop - start) / 4),
    out: (start, stop) => show(start - (stop - start) / 2, stop + (stop - start) / 2),
    all: () => show(0, end),
    theta: (start, stop, back) => cycle("theta", back),
    gamma: (start, stop, back) => cycle("gamma", back),
  };
  function move(name, back = false) {
    const {start, end: stop} = model("time");
    moves[name](start, stop, back);
  }

  // -- what the window holds -------------------------------------------------------------------------------------------------------

  let waiting = 0;
  function moved() {
    if (!waiting) waiting = requestAnimationFrame(() => { waiting = 0; tell(); });
  }

  function tell() {
    const {start, end: stop} = model("time"), from = Math.ceil(start / lab.dt), to = Math.min(Math.ceil(stop / lab.dt), lab.steps);
    const counted = (counts) => counts.slice(from, to).reduce((a, b) => a + b, 0);
    for (const [name, counts] of Object.entries(lab.counts)) {
      const count = counted(counts), box = byId(`count-${name}`);
      if (!box) continue;
      box.textContent = `${number(count)} spike${count === 1 ? "" : "s"}`;
      box.parentNode.classList.toggle("silent", !count);
    }
    const parts = Object.entries(lab.names).map(([name, told]) => {
      const mine = lab.hits.length ? ` (${number(engramSpikes(name).filter((t) => t >= start && t < stop).length)})` : "";
      return `${told} ${number(counted(lab.counts[name]))}${mine}`;
    });
    const whose = lab.hits.length ? `; in brackets those of cells of memory ${lab.hits[chosen].id}` : "";
    byId("window").textContent = `${Math.round(start)} to ${Math.round(stop)} ms. Spikes: ${parts.join(", ")}${whose}.`;
  }

  // -- the engram that is chosen ---------------------------------------------------------------------------------------------------

  const times = {};
  function engramSpikes(population) {
    if (!times[population]) {
      const {time} = model(`spikes ${population}`).data;
      times[population] = model(`engram ${population}`).indices.map((i) => time[i]);
    }
    return times[population];
  }

  function choose(place) {
    if (!lab.hits[place]) return;
    chosen = place;
    const hit = lab.hits[place];
    for (const [population, cells] of Object.entries(hit.engram)) {
      const own = new Set(cells), {cell} = model(`spikes ${population}`).data, indices = [];
      for (let i = 0; i < cell.length; i++) if (own.has(cell[i])) indices.push(i);
      const glyph = model(`glyph ${population}`);
      glyph.fill_color = glyph.line_color = glyph.hatch_color = {value: hit.colour};
      model(`engram ${population}`).indices = indices;
      delete times[population];
    }
    document.querySelectorAll("input[name=attempt]").forEach((input) => { input.checked = Number(input.value) === place; });
    tell();
  }

  // -- the membrane ----------------------------------------------------------------------------------------------------------------

  function cellsOf(population) {
    const choice = byId("cell");
    choice.replaceChildren(...lab.recorded[population].map((cell) => new Option(cell, cell)));
  }

  function membrane(population, cell) {
    byId("population").value = population;
    cellsOf(population);
    const choice = byId("cell"), there = lab.recorded[population].includes(Number(cell));
    if (!there) {
      byId("cell-told").textContent = `${population} ${cell} is not recorded; ${lab.recorded[population].length} others are.`;
      return;
    }
    choice.value = cell;
    const v = model("voltages").data[`${population} ${cell}`];
    const free = Array.from(v).filter((x) => x > lab.held), low = Math.min(...free, 0), high = Math.max(...free, 1), room = 0.08 * (high - low);
    model("volts").setv({start: low - room, end: high + room});
    model("membrane").y = {field: `${population} ${cell}`};
    const {time, cell: cells} = model(`spikes ${population}`).data, at = [];
    for (let i = 0; i < cells.length; i++) if (cells[i] === Number(cell)) at.push(time[i]);
    model("fired").data = {time: at, v: at.map((t) => v[Math.round(t / lab.dt)])};
    byId("cell-told").textContent = `${at.length} spike${at.length === 1 ? "" : "s"}; ${window.lab.memories(population, cell)}`;
  }

  // -- hands -----------------------------------------------------------------------------------------------------------------------

  const keys = {ArrowLeft: "left", ArrowRight: "right", "+": "in", "=": "in", "-": "out", 0: "all", t: "theta", g: "gamma", T: "theta", G: "gamma"};
  function pressed(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("select, details, input[type=radio]") && event.key.startsWith("Arrow")) return;
    if (event.target.closest("select")) return;
    if (/^[1-9]$/.test(event.key)) choose(Number(event.key) - 1);
    else if (keys[event.key]) move(keys[event.key], event.shiftKey && /^[tg]$/i.test(event.key));
    else return;
    event.preventDefault();
  }

  async function begin() {
    const [first, ...others] = documents;
    await draw(first);
    recall = Bokeh.documents[0];
    document.addEventListener("lab-window", moved);
    document.addEventListener("lab-cell", (event) => membrane(...event.detail));
    document.addEventListener("keydown", pressed);
    document.querySelectorAll("[data-do]").forEach((button) => button.addEventListener("click", (e) => move(button.dataset.do, e.shiftKey)));
    document.querySelectorAll("input[name=attempt]").forEach((input) => input.addEventListener("change", () => choose(Number(input.value))));
    byId("population").addEventListener("change", (event) => { cellsOf(event.target.value); membrane(event.target.value, lab.recorded[event.target.value][0]); });
    byId("cell").addEventListener("change", (event) => membrane(byId("population").value, event.target.value));
    membrane(...lab.first.split(" "));
    const kept = document.querySelector("input[name=attempt]:checked"); // a browser may restore the choice of a page that is loaded again
    if (kept && Number(kept.value)) choose(Number(kept.value));
    else tell();
    document.documentElement.dataset.ready = "yes";
    others.forEach(drawLater);
  }
  begin();
})();
