// What is in order on this machine, what is not, and what would mend it.
import { useState } from "preact/hooks";
import { call } from "../client";
import { useCall } from "../data";
import { plural } from "../format";
import type { DoctorFinding } from "../types";
import { Failed, Hint, Loading, Section, sentence, State } from "../ui/parts";
import { failed, toast } from "../ui/toast";

const TONES = { error: "bad", warning: "warn", note: "idle", ok: "ok" } as const;

export function Doctor() {
  const report = useCall("doctor.run");
  const [all, setAll] = useState(false);
  const found = report.data?.findings ?? [];
  const open = found.filter((f) => f.level !== "ok");
  const mend = async () => {
    try {
      const done = await call("doctor.fix");
      toast(done.mended.length === 0 ? "Nothing was left to mend" : done.mended.join(". "));
      if (done.failed?.length) failed(done.failed.join(". "));
      report.reload();
    } catch (error) {
      failed(error);
    }
  };
  return (
    <Section title="Doctor" note={report.data && (open.length === 0 ? "all in order" : plural(open.length, "finding"))}>
      {report.error && <Failed failure={report.error} retry={report.reload} />}
      {!report.data && report.loading && <Loading rows={3} />}
      <ul class="findings">
        {(all ? found : open).map((f) => (
          <Finding key={`${f.id} ${f.what}`} of={f} />
        ))}
      </ul>
      {report.data && (
        <div class="actions">
          {found.some((f) => f.safe) && (
            <button type="button" class="small primary" onClick={mend}>
              Mend what is safe
            </button>
          )}
          <button type="button" class="small" onClick={() => report.reload()}>
            Look again
          </button>
          <button type="button" class="small" onClick={() => setAll(!all)} aria-pressed={all}>
            {all ? "Only what is not in order" : `All ${found.length} that were looked at`}
          </button>
        </div>
      )}
    </Section>
  );
}

function Finding({ of: f }: { of: DoctorFinding }) {
  return (
    <li>
      <State tone={TONES[f.level]}>
        <b>{f.id}</b>
      </State>
      <div>
        <p>{sentence(f.what)}</p>
        {f.fix && f.level !== "ok" && <Hint text={f.fix} />}
      </div>
    </li>
  );
}
