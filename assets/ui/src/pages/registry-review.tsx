// What is new in a script, and the agreement to it.
import { useState } from "preact/hooks";
import { call, failureOf } from "../client";
import { useCall } from "../data";
import { setQuery } from "../route";
import type { Failure } from "../types";
import { Dialog } from "../ui/dialog";
import { Failed, Loading } from "../ui/parts";
import { toast } from "../ui/toast";

export function Diff({ text }: { text: string }) {
  const lines = text.replace(/\n$/, "").split("\n");
  return (
    <pre class="diff" tabIndex={0}>
      {lines.map((line, n) => (
        <span key={n} class={line.startsWith("+") ? "added" : line.startsWith("-") ? "removed" : ""}>
          {line}
          {"\n"}
        </span>
      ))}
    </pre>
  );
}

export function ReviewDialog({ name }: { name: string }) {
  const review = useCall("scripts.review", { name });
  const [failure, setFailure] = useState<Failure>();
  const close = () => setQuery({ review: undefined });
  const r = review.data;
  const agree = async () => {
    try {
      await call("scripts.approve", { name, hash: r?.hash });
      toast(`You agreed to ${name}`);
      close();
    } catch (error) {
      setFailure(failureOf(error));
    }
  };
  return (
    <Dialog title={`Script ${name}`} onClose={close} wide>
      {review.error && <Failed failure={review.error} retry={review.reload} />}
      {!r && review.loading && <Loading />}
      {r && (
        <>
          <p class="note">
            {r.compared === "agreed" ? "What changed since you agreed last." : r.compared === "built-in" ? "What differs from the built-in script." : "The whole text; you have not agreed to it before."}
          </p>
          <Diff text={r.diff} />
          {failure && <Failed failure={failure} />}
          <div class="actions">
            {!r.approved && (
              <button type="button" class="primary" onClick={agree}>
                I have read it and agree
              </button>
            )}
            <button type="button" onClick={close}>
              Close
            </button>
          </div>
        </>
      )}
    </Dialog>
  );
}
