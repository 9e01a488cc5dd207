// The address is the state. Links and forms marked data-live fetch the page they lead to, and put its parts
// (marked data-part) in place of this page's; back and forward do the same. Without scripts they load it whole.

let latest = 0;

export function beginState() {
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-live]");
    if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    if (new URL(link.href).pathname !== location.pathname) return;
    event.preventDefault();
    go(link.href);
  });
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.matches("form[data-live]")) return;
    event.preventDefault();
    go(addressOf(form));
  });
  document.addEventListener("change", (event) => {
    const form = event.target.form;
    if (form?.matches("form[data-auto]") && event.target.tagName === "SELECT") go(addressOf(form));
  });
  addEventListener("popstate", () => load(location.href));
}

/** Give the address that a form leads to: filled fields only, those as published left out. */
export function addressOf(form) {
  const url = new URL(form.getAttribute("action"), location.href);
  for (const [name, value] of new FormData(form)) {
    const field = form.elements.namedItem(name);
    if (value !== "" && !(field.dataset?.stated === value)) url.searchParams.append(name, value);
  }
  return url.href;
}

/** Go to an address of this page; `replace` leaves no step to go back to. */
export async function go(address, { replace = false } = {}) {
  if (replace) history.replaceState(null, "", address);
  else if (address !== location.href) history.pushState(null, "", address);
  await load(address);
}

async function load(address) {
  const turn = ++latest;
  const answer = await fetch(address, { headers: { Accept: "text/html" } }).catch(() => null);
  if (turn !== latest) return; // a later one is on its way
  if (!answer?.ok) {
    location.assign(address); // the server's own words say what is wrong
    return;
  }
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  if (turn !== latest) return;
  const focused = document.activeElement?.id;
  for (const part of document.querySelectorAll("[data-part]")) {
    const other = fresh.getElementById(part.id);
    if (other) part.replaceWith(document.adoptNode(other));
  }
  for (const form of document.querySelectorAll("form[data-live]")) follow(form, fresh);
  if (focused && document.activeElement?.id !== focused) document.getElementById(focused)?.focus({ preventScroll: true });
  document.title = fresh.title;
  document.dispatchEvent(new CustomEvent("commonweal:state", { detail: { address } }));
}

/** Bring the fields of a form that stays to what the fresh page has. */
function follow(form, fresh) {
  const other = [...fresh.forms].find((f) => f.className === form.className);
  if (!other || "pending" in form.dataset) return;
  for (const hidden of form.querySelectorAll("input[type=hidden]")) hidden.remove();
  for (const hidden of other.querySelectorAll("input[type=hidden]")) form.prepend(document.adoptNode(hidden.cloneNode(true)));
  for (const field of form.querySelectorAll("input[id], select[id]")) {
    const now = other.querySelector(`#${CSS.escape(field.id)}`);
    if (now && field !== document.activeElement) field.value = now.value;
  }
  form.dispatchEvent(new CustomEvent("commonweal:followed"));
}
