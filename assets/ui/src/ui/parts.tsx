// Small parts that every page uses.
import { signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { ago, cost, costTitle, tokens } from "../format";
import { takeArrival } from "../route";
import type { Failure, Figures, Problem } from "../types";
import { Icon, type IconName } from "./icons";
import { toast } from "./toast";

const tick = signal(0);
window.setInterval(() => (tick.value += 1), 5000);

/** The time, for texts like "3 min ago"; who asks is drawn again as it passes. */
export function now(): number {
  return tick.value >= 0 ? Date.now() : 0;
}

export function Head(props: { title: string; note?: ComponentChildren; back?: { href: string; text: string }; children?: ComponentChildren }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${props.title} · clown`;
    if (takeArrival()) heading.current?.focus({ preventScroll: true });
  }, [props.title]);
  return (
    <header class="head">
      <div class="head-text">
        {props.back && (
          <a class="back" href={props.back.href}>
            <Icon name="back" />
            {props.back.text}
          </a>
        )}
        <h1 ref={heading} tabIndex={-1}>{props.title}</h1>
        {props.note && <p class="note">{props.note}</p>}
      </div>
      {props.children && <div class="head-tools">{props.children}</div>}
    </header>
  );
}

export function Section(props: { title: string; note?: ComponentChildren; tools?: ComponentChildren; children: ComponentChildren; flush?: boolean }) {
  return (
    <section class="section" aria-label={props.title}>
      <div class="section-head">
        <h2>{props.title}</h2>
        {props.note && <span class="note">{props.note}</span>}
        {props.tools && <div class="section-tools">{props.tools}</div>}
      </div>
      {props.children}
    </section>
  );
}

export function Ago({ time }: { time: string }) {
  return (
    <time dateTime={time} title={new Date(time).toLocaleString("en-GB")}>
      {ago(time, now())}
    </time>
  );
}

export function Cost({ of }: { of: Pick<Figures, "cost_usd" | "partial"> }) {
  return (
    <span class="num" title={costTitle(of)}>
      {cost(of)}
    </span>
  );
}

export function Tokens({ n }: { n: number }) {
  return (
    <span class="num" title={n.toLocaleString("en")}>
      {tokens(n)}
    </span>
  );
}

type Tone = "ok" | "idle" | "warn" | "bad";

/** A state in words; the dot only repeats it. */
export function State({ tone, children }: { tone: Tone; children: ComponentChildren }) {
  return (
    <span class={`state ${tone}`}>
      <i aria-hidden="true" />
      {children}
    </span>
  );
}

export function Tag({ children, tone }: { children: ComponentChildren; tone?: "warn" | "bad" | "accent" }) {
  return <span class={`tag ${tone ?? ""}`}>{children}</span>;
}

export function Empty(props: { icon: IconName; title: string; children?: ComponentChildren }) {
  return (
    <div class="empty">
      <Icon name={props.icon} />
      <p class="empty-title">{props.title}</p>
      {props.children && <div class="empty-text">{props.children}</div>}
    </div>
  );
}

export function Failed({ failure, retry }: { failure: Failure; retry?: () => void }) {
  return (
    <div class="failed" role="alert">
      <Icon name="warn" />
      <div>
        <p class="failed-text">{sentence(failure.message)}</p>
        {(failure.hints ?? []).map((hint) => (
          <Hint key={hint} text={hint} />
        ))}
        {retry && (
          <button type="button" class="small" onClick={retry}>
            Try again
          </button>
        )}
      </div>
    </div>
  );
}

/** Hints often end with a command behind a colon. */
export function Hint({ text }: { text: string }) {
  const command = /^(.*: )?((?:clown|npm|sudo) .*)$/.exec(text);
  if (!command) return <p class="hint">{sentence(text)}</p>;
  return (
    <p class="hint">
      {sentence(command[1] ?? "")}
      <Copy text={command[2] ?? ""} />
    </p>
  );
}

export function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

export function Warnings({ list, tone = "warn" }: { list?: string[]; tone?: "warn" | "note" }) {
  if (!list?.length) return null;
  return (
    <ul class={`warnings ${tone}`}>
      {list.map((text) => (
        <li key={text}>{sentence(text)}</li>
      ))}
    </ul>
  );
}

export function Problems({ list }: { list?: Problem[] }) {
  return <Warnings list={list?.map((p) => [[p.file, p.line].filter(Boolean).join(":"), p.key, p.message].filter(Boolean).join(": "))} />;
}

/** Rows of grey where a table will be; nothing for the first moment, so that quick answers do not flicker. */
export function Loading({ rows = 4 }: { rows?: number }) {
  return (
    <div class="loading" role="status" aria-label="Loading">
      {Array.from({ length: rows }, (_, n) => (
        <i key={n} />
      ))}
    </div>
  );
}

/** A command as one piece that a click copies. */
export function Copy({ text, label }: { text: string; label?: string }) {
  const [done, setDone] = useState(false);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      setDone(true);
      window.setTimeout(() => setDone(false), 1500);
    } catch {
      toast("This browser does not let pages copy; select the text instead", "bad");
    }
  };
  return (
    <button type="button" class="copy" onClick={copy} title={`Copy: ${text}`} aria-label={label ? `Copy ${label}: ${text}` : `Copy ${text}`}>
      <code>{text}</code>
      <Icon name={done ? "check" : "copy"} />
    </button>
  );
}

export function Meter(props: { percent: number; label: string; tone?: "ok" | "warn" | "bad" }) {
  const value = Math.min(100, Math.max(0, props.percent));
  return (
    <div class={`meter ${props.tone ?? ""}`} role="meter" aria-label={props.label} aria-valuemin={0} aria-valuemax={100} aria-valuenow={Math.round(value)}>
      <i style={{ width: `${value}%` }} />
    </div>
  );
}

/** Facts as names and values. */
export function Facts({ rows }: { rows: [string, ComponentChildren][] }) {
  return (
    <dl class="facts">
      {rows
        .filter(([, value]) => value !== undefined && value !== null && value !== "" && value !== false)
        .map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
    </dl>
  );
}

export function Switcher<T extends string>(props: { label: string; value: T; options: [T, string][]; onChange: (value: T) => void }) {
  return (
    <div class="switcher" role="group" aria-label={props.label}>
      {props.options.map(([value, text]) => (
        <button key={value} type="button" aria-pressed={props.value === value} onClick={() => props.onChange(value)}>
          {text}
        </button>
      ))}
    </div>
  );
}
