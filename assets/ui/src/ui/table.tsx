// A table that sorts by a click on its head, and becomes a list on narrow screens.
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { Icon } from "./icons";

export interface Column<T> {
  name: string;
  cell: (row: T) => ComponentChildren;
  /** What it is sorted by; absent: it is not. */
  by?: (row: T) => string | number;
  numeric?: boolean;
  /** Never wrapped. */
  tight?: boolean;
  /** Left out below this class of width. */
  from?: "mid" | "wide";
}

export interface Order {
  column: string;
  down: boolean;
}

export function sorted<T>(rows: T[], columns: Column<T>[], order: Order | undefined): T[] {
  const by = columns.find((c) => c.name === order?.column)?.by;
  if (!by || !order) return rows;
  const sign = order.down ? -1 : 1;
  return [...rows].sort((a, b) => {
    const [x, y] = [by(a), by(b)];
    return sign * (typeof x === "number" && typeof y === "number" ? x - y : String(x).localeCompare(String(y)));
  });
}

export function Table<T>(props: {
  label: string;
  rows: T[];
  columns: Column<T>[];
  id: (row: T) => string;
  href?: (row: T) => string | undefined;
  order?: Order;
  foot?: ComponentChildren;
}) {
  const [order, setOrder] = useState<Order | undefined>(props.order);
  const rows = sorted(props.rows, props.columns, order);
  const turn = (c: Column<T>) => setOrder({ column: c.name, down: order?.column === c.name ? !order.down : !!c.numeric });
  return (
    <div class="table-box" tabIndex={0} role="group" aria-label={props.label}>
      <table>
        <thead>
          <tr>
            {props.columns.map((c) => {
              const is = order?.column === c.name;
              return (
                <th key={c.name} scope="col" class={`${c.numeric ? "r" : ""} ${c.from ?? ""}`} aria-sort={is ? (order.down ? "descending" : "ascending") : undefined}>
                  {c.by ? (
                    <button type="button" class="sort" onClick={() => turn(c)}>
                      {c.name}
                      <span class={`sort-mark ${is ? (order.down ? "is down" : "is") : ""}`}>
                        <Icon name="down" />
                      </span>
                    </button>
                  ) : (
                    c.name || <span class="sr">Actions</span>
                  )}
                </th>
              );
            })}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => {
            const href = props.href?.(row);
            return (
              <tr key={props.id(row)} class={href ? "link" : ""}>
                {props.columns.map((c, n) => (
                  <td key={c.name} class={`${c.numeric ? "r num" : ""} ${c.tight ? "tight" : ""} ${c.from ?? ""}`}>
                    {n === 0 && href ? (
                      <a class="row-link" href={href}>
                        {c.cell(row)}
                      </a>
                    ) : (
                      c.cell(row)
                    )}
                  </td>
                ))}
              </tr>
            );
          })}
        </tbody>
        {props.foot && <tfoot>{props.foot}</tfoot>}
      </table>
    </div>
  );
}
