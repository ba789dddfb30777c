// Before the first paint, so that no other theme flashes up. The switch is in src/theme.ts.
let chosen = null;
try {
  chosen = localStorage.getItem("clown-theme");
} catch {
  // No storage: the system's theme.
}
const dark = chosen === "dark" || (chosen !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
document.documentElement.dataset.theme = dark ? "dark" : "light";
