// Charts by uPlot, which is fetched when the first one is drawn.
import { useEffect, useRef } from "preact/hooks";
import type uPlot from "uplot";
import { colour, colours } from "../theme";

export interface Series {
  name: string;
  values: number[];
  /** Custom property with its colour. */
  colour: string;
}

export interface Stack {
  /** Seconds. */
  times: number[];
  series: Series[];
  /** How a value is shown. */
  show: (value: number) => string;
  /** How a point of time is shown. */
  when: (seconds: number) => string;
  kind: "bars" | "steps";
  height: number;
  label: string;
}

/** Values on top of each other, one series after the other. */
function stacked(series: Series[]): number[][] {
  let below: number[] = [];
  return series.map((s) => (below = s.values.map((v, n) => v + (below[n] ?? 0))));
}

export function Chart(props: { stack: Stack }) {
  const box = useRef<HTMLDivElement>(null);
  const tip = useRef<HTMLDivElement>(null);
  const { stack } = props;
  const drawn = colours.value;
  useEffect(() => {
    let plot: uPlot | undefined;
    let gone = false;
    const size = () => ({ width: box.current?.clientWidth ?? 600, height: stack.height });
    const watcher = new ResizeObserver(() => plot?.setSize(size()));
    void import("./plot").then(({ draw }) => {
      if (gone || !box.current) return;
      plot = draw(box.current, stack, stacked(stack.series), size(), (index, left) => tell(tip.current, box.current, stack, index, left), colour);
      watcher.observe(box.current);
    });
    return () => {
      gone = true;
      watcher.disconnect();
      plot?.destroy();
    };
  }, [stack, drawn]);
  return (
    <div class="chart" role="img" aria-label={stack.label}>
      <div ref={box} class="chart-box" style={{ height: `${stack.height}px` }} />
      <div ref={tip} class="chart-tip" hidden />
    </div>
  );
}

/** The words beside the pointer. */
function tell(tip: HTMLElement | null, box: HTMLElement | null, stack: Stack, index: number | null, left: number): void {
  if (!tip || !box) return;
  tip.hidden = index === null || index === undefined;
  if (index === null) return;
  const line = (name: string, value: string, swatch?: string) => {
    const row = document.createElement("p");
    const mark = document.createElement("i");
    if (swatch) mark.style.background = colour(swatch);
    const [n, v] = [document.createElement("span"), document.createElement("b")];
    n.textContent = name;
    v.textContent = value;
    row.append(mark, n, v);
    return row;
  };
  const parts = stack.series.filter((s) => (s.values[index] ?? 0) > 0).reverse();
  const sum = stack.series.reduce((all, s) => all + (s.values[index] ?? 0), 0);
  const rows = parts.map((s) => line(s.name, stack.show(s.values[index] ?? 0), s.colour));
  if (stack.series.length > 1 || rows.length === 0) rows.push(line("Total", stack.show(sum)));
  const head = document.createElement("h4");
  head.textContent = stack.when(stack.times[index] ?? 0);
  tip.replaceChildren(head, ...rows);
  const room = box.clientWidth;
  tip.style.left = `${Math.max(0, Math.min(left + 14, room - tip.offsetWidth))}px`;
}

export function Legend({ series }: { series: Series[] }) {
  return (
    <ul class="legend">
      {series.map((s) => (
        <li key={s.name}>
          <i style={{ background: `var(${s.colour})` }} />
          {s.name}
        </li>
      ))}
    </ul>
  );
}

/** Colours of series, in their order. */
export const SERIES = ["--s1", "--s2", "--s3", "--s4", "--s5", "--s6", "--s0"];
