// Changes of a proxy's routing.
import { call, failureOf } from "../client";
import type { CallName } from "../routes";
import type { Failure } from "../types";
import { toast } from "../ui/toast";

/** Calls that give the routing as it is then. */
export type Change = Extract<CallName, `proxy.${"set" | "add-route" | "remove-route" | "set-alias" | "remove-alias" | "add-key" | "remove-key"}`>;

export async function change(name: Change, body: object, done: string): Promise<Failure | undefined> {
  try {
    const routing = await call(name, body);
    toast(routing.warnings?.length ? `${done}. ${routing.warnings.join(" ")}` : done);
    return undefined;
  } catch (error) {
    return failureOf(error);
  }
}
