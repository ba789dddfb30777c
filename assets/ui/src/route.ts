// Where in the program we are, as the fragment of the address: `#/sessions/0197?profile=work`.
import { signal } from "@preact/signals";

export interface Place {
  page: string;
  /** What comes behind the page's name. */
  rest: string[];
  query: URLSearchParams;
}

function read(): Place {
  const [path = "", query = ""] = location.hash.replace(/^#\/?/, "").split("?");
  const [page = "", ...rest] = path.split("/").map(decodeURIComponent);
  return { page: page || "dashboard", rest, query: new URLSearchParams(query) };
}

/** Another page was asked for, and its heading has not got the focus yet. */
let arrived = false;

/** Whether a heading that was just drawn is one to go to; once for each way to a page. */
export function takeArrival(): boolean {
  const was = arrived;
  arrived = false;
  return was;
}

export const place = signal<Place>(read());

window.addEventListener("hashchange", () => {
  const before = place.peek();
  place.value = read();
  if (before.page !== place.peek().page || before.rest.join() !== place.peek().rest.join()) {
    window.scrollTo(0, 0);
    arrived = true;
  }
});

/** After the address was changed without an event, as a login does. */
export function lookAgain(): void {
  place.value = read();
}

export function to(page: string, ...rest: string[]): string {
  return `#/${[page, ...rest].map(encodeURIComponent).join("/")}`;
}

export function go(page: string, ...rest: string[]): void {
  location.hash = to(page, ...rest);
}

/** Changes the query without a step in the history. */
export function setQuery(change: Record<string, string | undefined>): void {
  const query = new URLSearchParams(place.peek().query);
  for (const [name, value] of Object.entries(change)) value ? query.set(name, value) : query.delete(name);
  const path = location.hash.split("?")[0] || "#/";
  history.replaceState(null, "", query.size ? `${path}?${query}` : path);
  place.value = read();
}
