// Each day of the last year as a square, darker for more.
import { useEffect, useRef } from "preact/hooks";
import { daysBack, day, isoDay } from "../format";

export function Heatmap(props: { values: Map<string, number>; show: (value: number) => string; pick: (date: string) => void; label: string }) {
  const weeks = columns();
  const most = Math.max(0, ...props.values.values());
  const level = (value: number) => (value <= 0 ? 0 : Math.min(4, 1 + Math.floor(4 * Math.sqrt(value / most) * 0.999)));
  const frame = useRef<HTMLDivElement>(null);
  // Where not all fits, the newest is what is looked for.
  useEffect(() => frame.current?.scrollTo({ left: frame.current.scrollWidth }), []);
  return (
    <div ref={frame} class="heat" role="group" aria-label={props.label} tabIndex={0}>
      <div class="heat-grid">
        {weeks.map((week, n) => (
          <div class="heat-week" key={week[0]}>
            <span class="heat-month">{monthOf(week, weeks[n - 1])}</span>
            {week.map((date) => {
              const value = props.values.get(date) ?? 0;
              const text = `${day(date)}: ${value > 0 ? props.show(value) : "nothing"}`;
              return value > 0 ? (
                <button key={date} type="button" class={`heat-day l${level(value)}`} title={text} aria-label={text} onClick={() => props.pick(date)} />
              ) : (
                <i key={date} class="heat-day l0" title={text} />
              );
            })}
          </div>
        ))}
      </div>
      <p class="heat-key" aria-hidden="true">
        Less <i class="heat-day l0" />
        <i class="heat-day l1" />
        <i class="heat-day l2" />
        <i class="heat-day l3" />
        <i class="heat-day l4" /> More
      </p>
    </div>
  );
}

/** 53 weeks from Monday; the last ends today. */
function columns(): string[][] {
  const today = new Date();
  const monday = new Date(today);
  monday.setDate(today.getDate() - ((today.getDay() + 6) % 7) - 52 * 7);
  const last = daysBack(0);
  return Array.from({ length: 53 }, (_, week) =>
    Array.from({ length: 7 }, (_, n) => {
      const date = new Date(monday);
      date.setDate(monday.getDate() + week * 7 + n);
      return isoDay(date);
    }).filter((date) => date <= last),
  );
}

function monthOf(week: string[], before: string[] | undefined): string {
  const month = (w: string[] | undefined) => w?.[0]?.slice(0, 7);
  if (!before || month(week) === month(before)) return "";
  return new Date(`${week[0]}T12:00:00`).toLocaleDateString("en-GB", { month: "short" });
}
