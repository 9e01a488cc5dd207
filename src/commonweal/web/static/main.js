// Begins what a page has: live links and forms, the map, the sliders.
import { beginState } from "./state.js";
import { beginWeights } from "./weights.js";

document.documentElement.classList.add("scripted");
beginState();
beginWeights();
if (document.querySelector("[data-map]")) {
  import("./map.js").then((map) => map.beginMap()).catch((error) => {
    document.querySelector("[data-map]").dataset.failed = "true"; // a browser without WebGL, or a script that did not come
    console.warn(error);
  });
}
