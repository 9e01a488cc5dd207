// The map: vector tiles of this server, coloured by a letter an area; names as plain text over it.

const WAITS = [1000, 4000]; // milliseconds before what a busy server did not give is asked for again

const after = (wait) => new Promise((done) => { setTimeout(done, wait); });

/** Read the JSON of an answer; null if there is none, or not all of it. */
const read = async (answer) => (answer?.ok ? answer.json().catch(() => null) : null);

/** Fetch JSON, again where the server is busy or the line breaks; null if it does not come. */
async function fetched(url) {
  for (const wait of [...WAITS, null]) {
    const answer = await fetch(url).catch(() => null);
    const found = await read(answer);
    if (found || wait === null || (answer && !answer.ok && answer.status < 500)) return found;
    await after(wait);
  }
  return null;
}

export async function beginMap() {
  const box = document.querySelector("[data-map]");
  const { maplibregl } = window; // from its own script, which the page loads before this
  maplibregl.setWorkerCount(2);
  const [west, south, east, north] = box.dataset.bounds.split(",").map(Number);
  const bounds = [[west, south], [east, north]];
  const tile = `${location.origin}/api/tiles/{z}/{x}/{y}.mvt?v=${box.dataset.version}`;
  const source = (z) => ({ type: "vector", tiles: [tile], minzoom: z, maxzoom: z, promoteId: "row" });
  const map = new maplibregl.Map({
    container: box,
    bounds,
    fitBoundsOptions: box.dataset.mark ? { padding: 110, maxZoom: 11.5 } : { padding: 12 },
    minZoom: 3.5,
    maxZoom: 13,
    attributionControl: false,
    dragRotate: false,
    pitchWithRotate: false,
    touchPitch: false,
    fadeDuration: 0,
    cooperativeGestures: true,
    style: { version: 8, sources: { far: source(4), near: source(8) }, layers: [{ id: "ground", type: "background", paint: { "background-color": "#f7fafb" } }] },
  });
  map.touchZoomRotate.disableRotation();
  map.addControl(new maplibregl.NavigationControl({ showCompass: false }), "top-right");
  map.addControl(new maplibregl.ScaleControl({ unit: "metric" }), "bottom-left");
  map.getCanvas().setAttribute("aria-label", `${box.getAttribute("aria-label")} Use the arrow keys to move it, plus and minus to zoom.`);
  const styled = new Promise((done) => { map.once("style.load", done); });
  const colours = coloured(map, box, styled);
  const told = document.getElementById("map-told");
  const mark = box.dataset.mark === "" ? null : Number(box.dataset.mark);
  retryTiles(map, tile, box);
  map.once("style.load", () => {
    for (const [id, low, high] of [["far", 0, 8], ["near", 8, 24]]) addAreas(map, id, low, high);
    addMarks(map);
  });
  Promise.all([colours.refresh(), styled]).then(() => {
    orient(map, box.dataset.version);
    if (mark !== null) colours.point(mark);
    if ("pick" in box.dataset) showSites(map);
    map.once("idle", () => { box.dataset.ready = "true"; });
  });
  const arrived = (event) => { // the time, in milliseconds since the page was opened, at which the first areas show
    if (!event.tile || !["far", "near"].includes(event.sourceId)) return;
    map.off("sourcedata", arrived);
    map.once("render", () => { box.dataset.drawn = Math.round(performance.now()); });
  };
  map.on("sourcedata", arrived);
  document.addEventListener("commonweal:state", () => colours.refresh());
  pointing(map, told, colours, "pick" in box.dataset ? pickSite : goThere);
  return map;
}

/** Ask again for tiles that did not come, all at once, and say so where they do not come then either. */
function retryTiles(map, tile, box) {
  let waits = [...WAITS];
  let missing = false; // of those asked for last
  let waiting = false;
  const again = () => {
    missing = false;
    for (const source of ["far", "near"]) map.getSource(source)?.setTiles([tile]);
  };
  map.on("error", async ({ sourceId }) => {
    if (!["far", "near"].includes(sourceId)) return;
    missing = true;
    if (waiting) return;
    if (!waits.length) { box.dataset.failed = "true"; return; }
    waiting = true;
    await after(waits.shift());
    waiting = false;
    again();
  });
  map.on("idle", () => {
    if (missing || waiting) return;
    waits = [...WAITS];
    delete box.dataset.failed;
  });
  map.on("moveend", () => { // whoever moves the map wants it
    if (!("failed" in box.dataset)) return;
    waits = [...WAITS];
    again();
  });
}

function addAreas(map, id, low, high) {
  const at = { source: id, "source-layer": "areas", minzoom: low, maxzoom: high };
  const colour = ["coalesce", ["feature-state", "colour"], "#ffffff"];
  const pointed = ["boolean", ["feature-state", "pointed"], false];
  const near = id === "near";
  map.addLayer({ ...at, id: `${id}-fill`, type: "fill", filter: ["==", ["geometry-type"], "Polygon"], paint: { "fill-color": colour, "fill-antialias": near } });
  // From afar there is no room for edges, and drawing 33,755 of them is what takes longest.
  if (near) map.addLayer({ ...at, id: "near-edge", type: "line", filter: ["==", ["geometry-type"], "Polygon"],
    paint: { "line-color": ["case", pointed, "#1a1f24", "#7d8891"], "line-width": ["case", pointed, 3, 0.5] } });
  map.addLayer({ ...at, id: `${id}-dot`, type: "circle", filter: ["==", ["geometry-type"], "Point"],
    paint: { "circle-color": colour, "circle-radius": ["interpolate", ["linear"], ["zoom"], 5, 1.5, 9, 4, 12, 8],
      "circle-stroke-color": ["case", pointed, "#1a1f24", "#7d8891"], "circle-stroke-width": ["case", pointed, 3, 0.4] } });
}

/** Areas too small to be seen from afar get a dot, where the layer says that they matter. */
function addMarks(map) {
  map.addSource("marks", { type: "geojson", data: { type: "FeatureCollection", features: [] } });
  map.addLayer({ id: "marks", type: "circle", source: "marks", maxzoom: 9.5,
    paint: { "circle-color": ["get", "colour"], "circle-radius": ["interpolate", ["linear"], ["zoom"], 4, 1.8, 6, 3, 9, 5],
      "circle-stroke-color": "#ffffff", "circle-stroke-width": 0.7 } });
}

/** Keep what colours the areas: only those whose class changes are told to the map. */
function coloured(map, box, styled) {
  let known = "";
  let layer = null;
  let pointed = null;
  let asked = 0;
  const state = (row, values) => {
    for (const source of ["far", "near"]) map.setFeatureState({ source, sourceLayer: "areas", id: row }, values);
  };
  const show = (found) => {
    layer = found;
    const colour = Object.fromEntries(layer.classes.map((c) => [c.letter, c.colour]));
    const fresh = [...layer.letters].map((letter) => colour[letter]);
    for (let row = 0; row < fresh.length; row += 1) {
      if (fresh[row] !== known[row]) state(row, { colour: fresh[row] });
    }
    known = fresh;
    const features = layer.marks.map(([row, x, y]) => (
      { type: "Feature", geometry: { type: "Point", coordinates: [x, y] }, properties: { row, colour: fresh[row] } }));
    map.getSource("marks")?.setData({ type: "FeatureCollection", features });
  };
  return {
    /** Ask for the colours of this address, and show them unless they have been asked for again. */
    async refresh() {
      const turn = ++asked;
      const query = new URLSearchParams();
      for (const [key, value] of new URL(location.href).searchParams) {
        if (key === "layer" || key.startsWith("w.") || key.startsWith("cut.")) query.append(key, value);
      }
      const found = await fetched(`/api/map?${query}`);
      await styled;
      if (turn !== asked) return;
      if (found) {
        delete box.dataset.uncoloured;
        show(found);
      } else box.dataset.uncoloured = "true"; // those there are belong to another key
    },
    label(row) {
      const letter = layer?.letters[row];
      return layer?.classes.find((c) => c.letter === letter)?.label ?? "";
    },
    point(row) {
      if (pointed !== null) state(pointed, { pointed: false });
      if (row !== null) state(row, { pointed: true });
      pointed = row;
    },
  };
}

/** Outlines and names of larger areas, as many as there is room for. */
async function orient(map, version) {
  const found = await fetched(`/api/outline.geojson?v=${version}`);
  if (!found) return;
  const { features } = found;
  const lines = features.filter((f) => f.properties.kind === "outline");
  map.addSource("outline", { type: "geojson", data: { type: "FeatureCollection", features: lines } });
  map.addLayer({ id: "outline", type: "line", source: "outline", paint: { "line-color": "#4a545e", "line-width": ["interpolate", ["linear"], ["zoom"], 5, 0.3, 9, 1.2] } });
  const names = features.filter((f) => f.properties.kind === "name").sort((a, b) => b.properties.people - a.properties.people);
  const tiers = Math.max(0, ...names.map((f) => f.properties.tier));
  let shown = [];
  const draw = () => {
    shown.forEach((marker) => marker.remove());
    shown = [];
    const taken = [];
    const wanted = map.getZoom() < 6.6 ? tiers : 0;
    const { width, height } = map.getCanvas().getBoundingClientRect();
    for (const { geometry, properties } of names) {
      if (properties.tier !== wanted || shown.length > 30) continue;
      const { x, y } = map.project(geometry.coordinates);
      const half = properties.name.length * 3.6 + 6;
      if (x - half < 0 || x + half > width || y < 8 || y > height - 8) continue;
      if (taken.some((t) => Math.abs(t.x - x) < t.half + half && Math.abs(t.y - y) < 20)) continue;
      taken.push({ x, y, half });
      const element = Object.assign(document.createElement("span"), { className: "place-name", textContent: properties.name });
      element.setAttribute("aria-hidden", "true");
      shown.push(new window.maplibregl.Marker({ element }).setLngLat(geometry.coordinates).addTo(map));
    }
  };
  map.on("moveend", draw);
  draw();
}

/** Go to the page of an area, with the reader's setting. */
function goThere(found) {
  if (!found) return;
  const url = new URL(found.page, location.href);
  for (const [key, value] of new URL(location.href).searchParams) {
    if (key === "embed" || key.startsWith("w.") || key.startsWith("cut.")) url.searchParams.append(key, value);
  }
  location.assign(url);
}

/** Add a site to the question, and ask again. */
function pickSite(_, { lng, lat }) {
  const url = new URL(location.href);
  url.searchParams.delete("q");
  url.searchParams.append("site", `${lng.toFixed(5)},${lat.toFixed(5)}`);
  location.assign(url);
}

/** Mark the sites that the page lists. */
function showSites(map) {
  for (const one of document.querySelectorAll("[data-site]")) {
    const element = Object.assign(document.createElement("span"), { className: "site-mark", textContent: one.textContent });
    element.setAttribute("aria-hidden", "true");
    new window.maplibregl.Marker({ element }).setLngLat(one.dataset.site.split(",").map(Number)).addTo(map);
  }
}

/** Say what is under the pointer, go to its page, and point out the row of the list that has the focus. */
function pointing(map, told, colours, onClick) {
  const layers = () => ["far-fill", "near-fill", "far-dot", "near-dot"].filter((id) => map.getLayer(id));
  const names = new Map();
  const rowAt = (point) => {
    const dot = map.getLayer("marks") && map.queryRenderedFeatures(point, { layers: ["marks"] })[0];
    return dot ? dot.properties.row : (map.queryRenderedFeatures(point, { layers: layers() })[0]?.id ?? null);
  };
  const area = async (row) => {
    if (!names.has(row)) {
      const answer = await fetch(`/api/rows/${row}`).catch(() => null);
      const found = await read(answer);
      if (found) names.set(row, found);
    }
    return names.get(row);
  };
  let over = null;
  map.on("mousemove", async (event) => {
    const row = rowAt(event.point);
    if (row === over) return;
    over = row;
    colours.point(row);
    map.getCanvas().style.cursor = row === null ? "" : "pointer";
    if (row === null) { told.textContent = ""; return; }
    const found = await area(row);
    if (found && over === row) told.textContent = `${found.name}${found.where ? `, ${found.where}` : ""}: ${colours.label(row)}`;
  });
  map.on("click", async (event) => {
    const row = rowAt(event.point);
    onClick(row === null ? null : await area(row), event.lngLat);
  });
  const fromList = (event) => {
    const line = event.target.closest?.("[data-row]");
    if (line) colours.point(Number(line.dataset.row));
  };
  document.addEventListener("mouseover", fromList);
  document.addEventListener("focusin", fromList);
}
