// Short words about what was just done.
import { signal } from "@preact/signals";
import { failureOf } from "../client";

interface Word {
  id: number;
  text: string;
  tone: "ok" | "bad";
}

const words = signal<Word[]>([]);
let last = 0;

export function toast(text: string, tone: "ok" | "bad" = "ok"): void {
  const id = (last += 1);
  words.value = [...words.peek(), { id, text, tone }].slice(-3);
  window.setTimeout(() => (words.value = words.peek().filter((w) => w.id !== id)), tone === "ok" ? 4000 : 9000);
}

export function failed(error: unknown): void {
  const failure = failureOf(error);
  toast([failure.message, ...(failure.hints ?? [])].join(" – "), "bad");
}

export function Toasts() {
  return (
    <div class="toasts" role="status" aria-live="polite">
      {words.value.map((w) => (
        <p key={w.id} class={w.tone}>
          {w.text}
        </p>
      ))}
    </div>
  );
}
