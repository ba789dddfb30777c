// Light, dark, or as the system has it. `public/theme.js` sets it before the first paint.
import { signal } from "@preact/signals";

export type Theme = "system" | "light" | "dark";
const KEY = "clown-theme";

function stored(): Theme {
  try {
    const value = localStorage.getItem(KEY);
    return value === "light" || value === "dark" ? value : "system";
  } catch {
    return "system";
  }
}

export const theme = signal<Theme>(stored());
/** Counts up when colours change, for what is drawn and not styled. */
export const colours = signal(0);

const system = matchMedia("(prefers-color-scheme: dark)");

function show(): void {
  const dark = theme.peek() === "dark" || (theme.peek() === "system" && system.matches);
  document.documentElement.dataset.theme = dark ? "dark" : "light";
  colours.value += 1;
}

export function setTheme(next: Theme): void {
  theme.value = next;
  try {
    if (next === "system") localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, next);
  } catch {
    // It holds until the page is closed.
  }
  show();
}

system.addEventListener("change", show);

export function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}
