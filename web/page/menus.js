import { byId } from "../../src/emopy/live/present/elements.js";

const GAP_PX = 6;

/** Open the menus below their buttons, within the width of the page. */
export function placeMenus() {
  for (const name of ["save", "settings"]) {
    const [menu, button] = [byId(name), byId(`open-${name}`)];
    menu.addEventListener("toggle", () => place(menu, button));
    new ResizeObserver(() => place(menu, button)).observe(document.body);
  }
}

/** @param {HTMLElement} menu @param {HTMLElement} button */
function place(menu, button) {
  const { bottom, right } = button.getBoundingClientRect();
  const width = document.documentElement.clientWidth;
  menu.style.top = `${bottom + scrollY + GAP_PX}px`;
  menu.style.right = `${Math.max(GAP_PX, Math.min(width - right, width - menu.offsetWidth - GAP_PX))}px`;
}
