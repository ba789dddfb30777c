// The part that needs uPlot.
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import type { Stack } from "./chart";

export function draw(
  box: HTMLElement,
  stack: Stack,
  tops: number[][],
  size: { width: number; height: number },
  hover: (index: number | null, left: number) => void,
  colour: (name: string) => string,
): uPlot {
  const bars = uPlot.paths.bars?.({ size: [0.72, 36], align: 0, radius: [0.12, 0] });
  const steps = uPlot.paths.stepped?.({ align: 1 });
  const axis = { stroke: colour("--ink-3"), font: "11px system-ui, sans-serif", ticks: { show: false } };
  // The highest stack is drawn first, and what is below over it.
  const order = tops.map((_, n) => n).reverse();
  return new uPlot(
    {
      ...size,
      padding: [10, 6, 0, 0],
      legend: { show: false },
      cursor: { y: false, points: { show: false }, drag: { x: false, y: false } },
      scales: { x: { range: edges(stack) }, y: { range: (_, __, most) => [0, most > 0 ? most * 1.06 : 1] } },
      axes: [
        { ...axis, grid: { show: false }, values: (_, at) => at.map((t) => tick(t, stack)), space: 64, gap: 6, size: 28, incrs: stack.kind === "bars" ? days() : clockSteps() },
        { ...axis, grid: { stroke: colour("--line"), width: 1 }, border: { show: false }, values: (_, at) => at.map((v) => stack.show(v)), size: 58, space: 44, gap: 8 },
      ],
      series: [
        {},
        ...order.map((n) => {
          const fill = colour(stack.series[n]?.colour ?? "--accent");
          return { label: stack.series[n]?.name, fill, stroke: fill, width: stack.kind === "bars" ? 0 : 1, points: { show: false }, paths: stack.kind === "bars" ? bars : steps };
        }),
      ],
      hooks: { setCursor: [(plot) => hover(plot.cursor.idx ?? null, (plot.cursor.left ?? 0) + 58)] },
    },
    [stack.times, ...order.map((n) => tops[n] ?? [])] as uPlot.AlignedData,
    box,
  );
}

function edges(stack: Stack): uPlot.Range.MinMax {
  const [first, last] = [stack.times[0] ?? 0, stack.times.at(-1) ?? 0];
  const half = stack.kind === "bars" ? 43_200 : Math.max(1, (last - first) * 0.01);
  return [first - half, last + half];
}

/** No step below a second: its labels would read the same. */
const clockSteps = () => [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400];
const days = () => [1, 2, 3, 7, 14, 30, 60, 90, 180].map((n) => n * 86_400);

function tick(seconds: number, stack: Stack): string {
  const date = new Date(seconds * 1000);
  if (stack.kind === "bars") return date.toLocaleDateString("en-GB", { day: "numeric", month: "short" });
  const short = (stack.times.at(-1) ?? 0) - (stack.times[0] ?? 0) < 900;
  return date.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit", ...(short && { second: "2-digit" }) });
}
