// Puts a slider and two buttons beside every number field of the weights form; the field stays the one that counts.
import { addressOf, go } from "./state.js";

const PATIENCE_MS = 90;

export function beginWeights() {
  const form = document.querySelector("form.weights");
  if (!form) return;
  const settings = [...form.querySelectorAll(".setting")].map(dress);
  let waiting = 0;
  let lately = 0;
  const follow = () => {
    clearTimeout(waiting);
    form.dataset.pending = ""; // what an older answer says of the fields is out of date from here on
    waiting = setTimeout(() => {
      delete form.dataset.pending;
      if (!form.checkValidity()) return;
      // What is dragged in one go is one step to go back to.
      const now = Date.now();
      go(addressOf(form), { replace: now - lately < 1500 });
      lately = now;
    }, PATIENCE_MS);
  };
  form.addEventListener("input", (event) => {
    for (const one of settings) one.take(event.target);
    follow();
  });
  form.addEventListener("commonweal:followed", () => settings.forEach((one) => one.show()));
}

function dress(box) {
  const field = box.querySelector("input[type=number]");
  const label = box.querySelector("label").textContent;
  const [low, high, step] = ["low", "high", "step"].map((key) => Number(box.dataset[key]));
  const slider = Object.assign(document.createElement("input"), { type: "range", min: low, max: high, step: "any" });
  slider.setAttribute("aria-label", `${label}, slider`);
  const row = Object.assign(document.createElement("span"), { className: "range" });
  const button = (sign, words, way) => {
    const made = Object.assign(document.createElement("button"), { type: "button", className: "step quiet", textContent: sign });
    made.setAttribute("aria-label", `${words} ${label}`);
    made.addEventListener("click", () => set(Math.min(Math.max(tidy(Number(field.value) + way * step), Number(field.min)), Number(field.max))));
    return made;
  };
  const tidy = (value) => Number((Math.round(value / step) * step).toPrecision(6));
  const set = (value) => {
    field.value = value;
    field.dispatchEvent(new Event("input", { bubbles: true }));
  };
  const show = () => { slider.value = field.value; };
  slider.addEventListener("keydown", (event) => { // "any" would move by a hair
    const way = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1, PageUp: 5, PageDown: -5 }[event.key];
    if (!way) return;
    event.preventDefault();
    slider.value = tidy(Number(slider.value) + way * step);
    slider.dispatchEvent(new Event("input", { bubbles: true }));
  });
  row.append(button("−", "Less for", -1), slider, button("+", "More for", 1));
  box.append(row);
  show();
  return {
    show,
    take(target) {
      if (target === slider) field.value = tidy(Number(slider.value));
      else if (target === field) show();
    },
  };
}
